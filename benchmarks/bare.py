"""The yardstick: a bare pass-through on hypercorn and aiohttp, with no gateway logic at all."""

import asyncio
import sys

import aiohttp
import uvloop
from hypercorn.asyncio import serve
from hypercorn.config import Config
from hypercorn.typing import ASGIReceiveCallable, ASGISendCallable, Scope

UPSTREAM, PORT = sys.argv[1], sys.argv[2]
session: aiohttp.ClientSession


async def app(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
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


async def main() -> None:
    global session
    config = Config()
    config.bind = [f"127.0.0.1:{PORT}"]
    config.accesslog = config.errorlog = None
    async with aiohttp.ClientSession() as session:
        await serve(app, config, shutdown_trigger=asyncio.Event().wait)


uvloop.run(main())
