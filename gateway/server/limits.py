"""How long and how much the servers wait and take, whichever library speaks HTTP."""

from __future__ import annotations

__all__ = ["BACKLOG", "CLOSING_SECONDS", "HEAD_BYTES", "IDLE_SECONDS", "TLS_SECONDS"]

BACKLOG = 2048
"""Connections that may wait to be accepted."""

CLOSING_SECONDS = 1.0
"""How long connections may take to close when nothing runs on them any more."""

HEAD_BYTES = 64 * 1024
"""What the head of a request may have."""

IDLE_SECONDS = 75.0
"""How long a connection may wait for a request, or for the rest of its head."""

TLS_SECONDS = 10.0
"""How long a client may take to begin and to end TLS."""
