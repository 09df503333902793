module go-server

// The oldest that yamux v0.1.2 builds with.
go 1.20

require github.com/hashicorp/yamux v0.1.2
