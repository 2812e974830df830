"""A server over standard streams that does as it is told, in the way of a script.

Each tool is a deed: `echo`, `environment`, `crash`, `noise`, `flood`, `line`, `never`, `child`.
"""

import json
import os
import subprocess
import sys
import time
from typing import Any


def call(name: str, arguments: dict[str, Any]) -> str:
    if name == "crash":
        os._exit(3)
    if name == "noise":
        print("this is no JSON", flush=True)
        print(f"secret is {os.environ.get('TOKEN', '')}", file=sys.stderr, flush=True)
        sys.stderr.write("x" * 1_000_000)
    if name == "flood":
        print("\n" * 10_000_000, flush=True)
    if name == "line":
        print("x" * 10_000_000, flush=True)
    if name == "never":
        time.sleep(3600)
    if name == "child":
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)"])
        return str(child.pid)
    return json.dumps(dict(os.environ) if name == "environment" else arguments)


def answer(message: dict[str, Any]) -> dict[str, Any]:
    params = message["params"]
    if message["method"] == "initialize":
        return {"result": {"protocolVersion": params["protocolVersion"]}}
    if message["method"] == "tools/list":
        return {"result": {"tools": [{"name": "echo", "inputSchema": {"type": "object"}}]}}
    if message["method"] == "tools/call":
        text = call(params["name"], params["arguments"])
        return {"result": {"content": [{"type": "text", "text": text}]}}
    return {"error": {"code": -32601, "message": "method not found"}}


for line in sys.stdin:
    message = json.loads(line)
    if "id" in message:
        reply = {"jsonrpc": "2.0", "id": message["id"], **answer(message)}
        print(json.dumps(reply), flush=True)
