"""The yardstick: a bare pass-through on aiohttp and a server, with no gateway logic at all.

python benchmarks/bare.py UPSTREAM PORT [hypercorn | granian | uvicorn]
"""

import asyncio
import sys
from importlib import import_module
from typing import Any

import aiohttp
import uvloop
from hypercorn.config import Config

UPSTREAM, PORT = sys.argv[1], int(sys.argv[2])
ENGINE = sys.argv[3] if len(sys.argv) > 3 else "hypercorn"
KEEP_ALIVE, BACKLOG = 75, 2048  # seconds and connections, as with the gateway
session: aiohttp.ClientSession


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] != "http":
        return
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message["body"], message["more_body"]
    headers = {"content-type": "application/json", "accept-encoding": "identity"}
    async with session.post(UPSTREAM + scope["path"], data=body, headers=headers) as answer:
        kind = [(b"content-type", answer.content_type.encode())]
        await send({"type": "http.response.start", "status": answer.status, "headers": kind})
        async for chunk in answer.content.iter_any():
            await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


async def on_hypercorn() -> None:
    config = Config()
    config.bind = [f"127.0.0.1:{PORT}"]
    config.accesslog = config.errorlog = None
    config.keep_alive_timeout, config.backlog = KEEP_ALIVE, BACKLOG
    serve: Any = import_module("hypercorn.asyncio").serve
    await serve(app, config, shutdown_trigger=asyncio.Event().wait)


async def on_uvicorn() -> None:
    uvicorn = import_module("uvicorn")
    config = uvicorn.Config(app, port=PORT, lifespan="off", log_level="error", access_log=False)
    config.timeout_keep_alive = KEEP_ALIVE
    await uvicorn.Server(config).serve()


async def on_granian() -> None:
    server = import_module("granian.server.embed").Server
    await server(
        app, port=PORT, interface="asginl", http="1", log_enabled=False, backlog=BACKLOG
    ).serve()


async def main() -> None:
    global session
    run = {"hypercorn": on_hypercorn, "uvicorn": on_uvicorn, "granian": on_granian}[ENGINE]
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await run()


uvloop.run(main())
