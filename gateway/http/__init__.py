"""The proxy: the Responses API as an ASGI application. Only here is starlette imported."""
