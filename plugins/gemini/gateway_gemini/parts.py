"""Content parts of messages and tool outputs, written as Gemini's parts."""

from __future__ import annotations

from mimetypes import guess_type
from typing import Any
from urllib.parse import urlsplit

from gateway.errors import InvalidRequestError
from gateway.plugin.content import Content, read_base64, read_data_url, text_of
from gateway.types.content import ComputerScreenshot, ContentPart, InputAudio, InputFile, InputImage

__all__ = ["ITS_FILES", "Part", "split", "write_part", "write_parts"]

Part = dict[str, Any]

ITS_FILES = "https://generativelanguage.googleapis.com/"


def write_parts(content: Content) -> list[Part]:
    """Write `content`; texts without a character are left out, since Gemini refuses them."""
    if isinstance(content, str):
        return [{"text": content}] if content else []
    return [part for part in map(write_part, content) if part.get("text") != ""]


def split(content: Content) -> tuple[str, list[Part]]:
    """Return the text of `content`, and the parts that are not text."""
    parts = write_parts(content)
    text = "\n".join(part["text"] for part in parts if "text" in part)
    return text, [part for part in parts if "text" not in part]


def write_part(part: ContentPart) -> Part:
    """Write one part. Raises `InvalidRequestError` if Gemini cannot take it."""
    match part:
        case InputImage(image_url=str(url)) | ComputerScreenshot(image_url=str(url)):
            return _at(url, "image/jpeg")
        case InputFile(file_data=str(data)) if not data.startswith("data:"):
            return _inline("application/pdf", read_base64(data))
        case InputFile(file_data=str(url)) | InputFile(file_url=str(url)):
            return _at(url, "application/pdf")
        case InputAudio(input_audio=audio):
            return _inline(f"audio/{audio.format}", read_base64(audio.data))
        case InputImage() | InputFile() | ComputerScreenshot():
            raise InvalidRequestError("gemini has no files by id: send its data or address")
        case _ if (text := text_of(part)) is not None:
            return {"text": text}
        case _:
            raise InvalidRequestError(f"gemini takes no content of type {part.type!r}")


def _at(url: str, kind: str) -> Part:
    """Write what stands in or at `url`, which is of `kind` if its name does not tell."""
    if found := read_data_url(url):
        return _inline(*found)
    if url.startswith(ITS_FILES):
        return {"fileData": {"fileUri": url}}  # Google knows what it has been given
    kind = guess_type(urlsplit(url).path, strict=False)[0] or kind
    return {"fileData": {"fileUri": url, "mimeType": kind}}


def _inline(kind: str, data: str) -> Part:
    return {"inlineData": {"mimeType": kind, "data": data}}
