// What the bench compares with. go 1.20 is the oldest that yamux v0.1.2 builds with.
module go-yamux

go 1.20

require github.com/hashicorp/yamux v0.1.2
