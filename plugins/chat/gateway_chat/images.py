"""Images that a model makes, which Chat Completions sends as URLs."""

from __future__ import annotations

import re

from gateway.types.items import ImageGenerationCall
from gateway_chat.wire import Image, ImageUrl

__all__ = ["image_item", "image_url"]

_DATA_URL = re.compile(r"data:(?:image/([\w.+-]*))?[^,]*,")
_ADDRESS = re.compile(r"https?://", re.IGNORECASE)


def image_url(image: Image | ImageUrl | str | None) -> str:
    """Return the URL or the bare base64 of `image`, in whichever of its shapes; `""` if none."""
    match image:
        case str():
            return image
        case ImageUrl(url=url):
            return url
        case Image():
            return image.b64_json or image.url or image_url(image.image_url)
        case None:
            return ""


def image_item(url: str) -> ImageGenerationCall | None:
    """Return the item that holds the image itself; None if `url` only says where it is."""
    if _ADDRESS.match(url):
        return None
    header = _DATA_URL.match(url)
    if header is None:
        return ImageGenerationCall(status="completed", result=url)
    data = url[header.end() :]
    if header[1] is None:
        return ImageGenerationCall(status="completed", result=data)
    return ImageGenerationCall(status="completed", result=data, output_format=header[1])
