"""Content of messages and tool outputs, written as Anthropic's blocks."""

from __future__ import annotations

import base64
from typing import Any

from gateway.errors import InvalidRequestError
from gateway.plugin.content import Content, Data, read_base64, read_data_url, text_of
from gateway.types import content
from gateway_anthropic.carriers import Block
from gateway_anthropic.quirks import Quirks

__all__ = ["cache_control", "write_content", "write_part"]

_IMAGES = ("image/png", "image/jpeg", "image/gif", "image/webp")
_PDF = "application/pdf"


def write_content(told: Content, quirks: Quirks) -> list[Block]:
    """Return the blocks of what was `told` but for blank text, which Anthropic refuses."""
    parts = (content.InputText(text=told),) if isinstance(told, str) else told
    blocks = [write_part(part, quirks) for part in parts]
    return [block for block in blocks if block["type"] != "text" or block["text"].strip()]


def write_part(part: content.ContentPart, quirks: Quirks) -> Block:
    """Write one part. Raises `InvalidRequestError` if Anthropic has no place for it."""
    match part:
        case content.InputImage() | content.ComputerScreenshot():
            block: Block = {"type": "image", "source": _image(part)}
        case content.InputFile():
            block = {"type": "document", "source": _document(part)}
            block |= {"title": part.filename} if part.filename else {}
            block |= {"citations": {"enabled": True}} if quirks.cite_files else {}
        case _ if (text := text_of(part)) is not None:
            block = {"type": "text", "text": text}
        case _:
            raise InvalidRequestError(f"the upstream takes no content of type {part.type!r}")
    if mark := getattr(part, "prompt_cache_breakpoint", None):
        block["cache_control"] = cache_control(mark.ttl)
    return block


def cache_control(ttl: object) -> dict[str, Any]:
    """Return a mark for what the prompt cache should keep: five minutes, or else an hour."""
    return {"type": "ephemeral"} | ({"ttl": "1h"} if ttl and ttl not in ("5m", "in_memory") else {})


def _image(part: content.InputImage | content.ComputerScreenshot) -> dict[str, Any]:
    if not (data := read_data_url(part.image_url or "")):
        return _elsewhere(part.image_url or "", part.file_id or "")
    if data.media_type not in _IMAGES:
        raise InvalidRequestError(f"the upstream takes images only as {', '.join(_IMAGES)}")
    return {"type": "base64", "media_type": data.media_type, "data": data.base64}


def _document(part: content.InputFile) -> dict[str, Any]:
    if not part.file_data:
        return _elsewhere(part.file_url or "", part.file_id or "")
    kind, data = read_data_url(part.file_data) or Data(_PDF, read_base64(part.file_data))
    if kind == _PDF:
        return {"type": "base64", "media_type": kind, "data": data}
    if not kind.startswith("text/") and kind != "application/json":
        raise InvalidRequestError("the upstream takes files only as PDF or text")
    try:
        text = base64.b64decode(data).decode()
    except ValueError as error:
        raise InvalidRequestError("the file is no UTF-8 text") from error
    return {"type": "text", "media_type": "text/plain", "data": text}


def _elsewhere(url: str, file_id: str) -> dict[str, Any]:
    if url:
        return {"type": "url", "url": url}
    if file_id.startswith("file_"):  # OpenAI's begin with file-
        return {"type": "file", "file_id": file_id}
    raise InvalidRequestError(
        "the upstream cannot get at it: send base64, a URL or its own file id"
    )
