"""MCP servers as tools of any model, run by the gateway."""
