"""The child process: llama.cpp's HTTP server on a loopback port, until standard input ends.

`python -m gateway_local.server --weights FILE --name NAME --threads N` prints one line of JSON,
`{"address": "http://127.0.0.1:PORT"}`, as soon as the model is loaded and the server answers.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading

from xllamacpp import CommonParams, Server

__all__ = ["main"]

CONTEXT = 4096  # tokens for input and output together; each thousand costs 23 MB


def main() -> None:
    """Serve until the parent closes our standard input, by leaving us or by dying."""
    options = _arguments()
    watcher = threading.Thread(target=_die_with_parent, daemon=True)
    watcher.start()
    try:
        server = Server(_parameters(options))
    except RuntimeError as error:
        sys.exit(f"could not load {options.weights}: {error}")
    print(json.dumps({"address": server.listening_address}), flush=True)
    watcher.join()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="gateway_local.server")
    parser.add_argument("--weights", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--threads", required=True, type=int)
    return parser.parse_args()


def _parameters(options: argparse.Namespace) -> CommonParams:
    parameters = CommonParams()
    parameters.model.path = options.weights
    parameters.model_alias = {options.name}
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.cors_origins = ""  # no page in a browser may read our answers
    parameters.ui = False
    parameters.verbosity = 1  # errors only
    parameters.fit_params = False
    parameters.warmup = False
    parameters.n_ctx = CONTEXT
    parameters.n_parallel = 1
    parameters.cache_ram_mib = 0  # it would keep up to 8 GB of old prompts
    for threads in (parameters.cpuparams, parameters.cpuparams_batch):
        threads.n_threads = options.threads
        threads.poll = 0  # spinning on a busy machine costs nine tenths of the speed
    return parameters


def _die_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)  # at once: an answer that nobody waits for must not keep the process


if __name__ == "__main__":
    main()
