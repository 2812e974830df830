"""Content parts of messages and tool outputs, written as Chat Completions has them."""

from __future__ import annotations

from typing import Any

from gateway.errors import InvalidRequestError
from gateway.types.content import (
    ContentPart,
    InputAudio,
    InputFile,
    InputImage,
    InputText,
    OutputText,
    ReasoningText,
    Refusal,
    SummaryText,
)
from gateway_chat.quirks import Quirks

__all__ = ["Content", "attachments", "problem", "text_of", "write_content", "write_part"]

Content = str | tuple[ContentPart, ...]


def write_content(content: Content, quirks: Quirks) -> str | list[dict[str, Any]]:
    """Return a string if there is only text, else the list of parts."""
    if isinstance(content, str):
        return content
    if attachments(content) or (quirks.text_parts and len(content) > 1):
        return [write_part(part, quirks) for part in content]
    return text_of(content)


def text_of(content: Content, separator: str = "\n") -> str:
    """Return the text alone, parts joined by `separator`."""
    if isinstance(content, str):
        return content
    return separator.join(text for part in content if (text := _text(part)) is not None)


def attachments(content: Content) -> tuple[ContentPart, ...]:
    """Return the parts that are not text."""
    if isinstance(content, str):
        return ()
    return tuple(part for part in content if _text(part) is None)


def write_part(part: ContentPart, quirks: Quirks) -> dict[str, Any]:
    """Write one part; raises `InvalidRequestError` if Chat Completions has no word for it."""
    match part:
        case InputImage(image_url=str(url)):
            image = {"url": url, "detail": part.detail} if part.detail else {"url": url}
            return {"type": "image_url", "image_url": image}
        case InputFile():
            return _file(part, quirks)
        case InputAudio(input_audio=audio):
            whole = {"data": audio.data, "format": audio.format}
            return {
                "type": "input_audio",
                "input_audio": audio.data if quirks.audio == "string" else whole,
            }
        case _ if (text := _text(part)) is not None:
            return {"type": "text", "text": text}
        case _:
            raise InvalidRequestError(
                f"content of type {part.type!r} cannot be sent to this model", param="input"
            )


def problem(part: ContentPart, quirks: Quirks) -> str | None:
    """Say why a server with `quirks` cannot take `part`, or None if it can."""
    match part:
        case InputImage():
            return _image_problem(part, quirks)
        case InputFile():
            return _file_problem(part, quirks)
        case InputAudio():
            return "the upstream takes no audio" if quirks.audio == "none" else None
        case _:
            return None if _text(part) is not None else "chat completions has no such content"


def _text(part: ContentPart) -> str | None:
    match part:
        case InputText() | OutputText() | SummaryText() | ReasoningText():
            return part.text
        case Refusal():
            return part.refusal
        case _:
            return None


def _file(part: InputFile, quirks: Quirks) -> dict[str, Any]:
    url = part.file_data or part.file_url
    if quirks.file_part == "document_url" and url:
        document = {"type": "document_url", "document_url": url}
        return document | ({"document_name": part.filename} if part.filename else {})
    if quirks.file_part == "document_url":
        return {"type": "file", "file_id": part.file_id}
    if quirks.file_part == "file_url":
        bare = url.rpartition(";base64,")[2] if part.file_data and url else url
        document = {"type": "file_url", "file_url": {"url": bare}}
        return document | ({"file_name": part.filename} if part.filename else {})
    members = {
        "filename": part.filename,
        "file_data": url,  # OpenRouter reads a URL here, too
        "file_id": part.file_id,
    }
    return {"type": "file", "file": {name: value for name, value in members.items() if value}}


def _image_problem(part: InputImage, quirks: Quirks) -> str | None:
    if quirks.images == "none":
        return "the upstream takes no images"
    if not part.image_url:
        return "the upstream has no files: send the image as an image_url"
    if quirks.images == "data" and not part.image_url.startswith("data:"):
        return "the upstream fetches no images: send a data: URL"
    return None


def _file_problem(part: InputFile, quirks: Quirks) -> str | None:
    way = "data" if part.file_data else "url" if part.file_url else "id" if part.file_id else ""
    if not way:
        return "it names no file: send file_data, file_url or file_id"
    if way in quirks.files:
        return None
    if not quirks.files:
        return "the upstream takes no files"
    return f"the upstream takes files only as {' or '.join(f'file_{way}' for way in quirks.files)}"
