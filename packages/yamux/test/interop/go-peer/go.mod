// The peer that the interop tests talk to. go 1.20 is the oldest that yamux v0.1.2 builds with; gorilla/websocket v1.5.3 needs 1.12.
module go-peer

go 1.20

require (
	github.com/gorilla/websocket v1.5.3
	github.com/hashicorp/yamux v0.1.2
)
