"""How the gateway reaches upstreams: connections, waiting, health and processes of its own."""
