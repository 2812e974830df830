"""The yardstick of `startup.py`: the gateway's libraries, imported, and a hello served by them."""

import asyncio
import sys

import aiohttp
import msgspec
import starlette.applications
import uvloop
from hypercorn.asyncio import serve
from hypercorn.config import Config
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

LIBRARIES = (aiohttp, msgspec, starlette)


async def hello(request: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


async def main() -> None:
    config = Config()
    config.bind = [f"127.0.0.1:{sys.argv[1]}"]
    config.accesslog = config.errorlog = None
    routes = [Route("/v1/responses", hello, methods=["POST"])]
    app = starlette.applications.Starlette(routes=routes)
    await serve(app, config, shutdown_trigger=asyncio.Event().wait)


uvloop.run(main())
