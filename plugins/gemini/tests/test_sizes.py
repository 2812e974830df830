"""Sizes of images, read from their headers, and of the screen that a model has seen."""

from base64 import b64encode
from struct import pack
from typing import Any

import msgspec
import pytest

from gateway.types.request import Request, decode_request
from gateway_gemini.sizes import Size, screen_size

PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + pack(">II", 1440, 900) + b"\x08\x06"
JPEG = (
    b"\xff\xd8\xff\xe0"
    + pack(">H", 16)
    + b"JFIF"
    + bytes(10)  # a segment that tells no size
    + b"\xff\xc2"
    + pack(">HBHH", 17, 8, 600, 800)
    + bytes(10)
)
LOSSY = b"RIFF\0\0\0\0WEBPVP8 " + bytes(7) + b"\x9d\x01\x2a" + pack("<HH", 640, 480)
LOSSLESS = b"RIFF\0\0\0\0WEBPVP8L" + bytes(4) + b"\x2f" + pack("<I", 639 | 479 << 14) + bytes(9)
EXTENDED = b"RIFF\0\0\0\0WEBPVP8X" + bytes(8) + pack("<I", 639)[:3] + pack("<I", 479)[:3]


def url_of(image: bytes) -> str:
    return "data:image/png;base64," + b64encode(image).decode()


def shot(image: bytes, call_id: str = "call_1") -> dict[str, Any]:
    output = {"type": "computer_screenshot", "image_url": url_of(image)}
    return {"type": "computer_call_output", "call_id": call_id, "output": output}


def picture(image: bytes) -> dict[str, Any]:
    return {"role": "user", "content": [{"type": "input_image", "image_url": url_of(image)}]}


def request_of(*items: dict[str, Any], tools: tuple[dict[str, Any], ...] = ()) -> Request:
    return decode_request(msgspec.json.encode({"model": "m", "input": items, "tools": tools}))


def seen(request: Request) -> Size | None:
    assert isinstance(request.input, tuple)
    return screen_size(request, request.input)


@pytest.mark.parametrize(
    ("image", "size"),
    [
        (PNG, Size(1440, 900)),
        (JPEG, Size(800, 600)),
        (LOSSY, Size(640, 480)),
        (LOSSLESS, Size(640, 480)),
        (EXTENDED, Size(640, 480)),
        (PNG[:20], None),
        (b"GIF89a", None),
    ],
)
def test_the_header_of_a_screenshot_tells_its_size(image: bytes, size: Size | None) -> None:
    assert seen(request_of(shot(image))) == size


def test_the_latest_screenshot_tells_the_screen() -> None:
    request = request_of(shot(JPEG, "call_1"), shot(PNG, "call_2"), picture(LOSSY))
    assert seen(request) == Size(1440, 900)


def test_before_a_screenshot_the_latest_image_tells_it() -> None:
    assert seen(request_of(picture(JPEG), picture(LOSSY))) == Size(640, 480)


def test_the_older_tool_declares_the_screen() -> None:
    tool = {
        "type": "computer_use_preview",
        "display_width": 1024,
        "display_height": 768,
        "environment": "browser",
    }
    assert seen(request_of(shot(PNG), tools=(tool,))) == Size(1024, 768)


def test_a_declared_screen_without_a_size_is_looked_for() -> None:
    tool = {
        "type": "computer_use_preview",
        "display_width": 0,
        "display_height": 768,
        "environment": "browser",
    }
    assert seen(request_of(shot(PNG), tools=(tool,))) == Size(1440, 900)


def test_nobody_knows_a_screen_that_was_not_seen() -> None:
    assert seen(request_of({"role": "user", "content": "Hello"})) is None
