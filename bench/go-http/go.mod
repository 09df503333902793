// Both ends of the HTTP that the tunnel is measured with. It needs nothing but the standard library.
module http-ends

go 1.20
