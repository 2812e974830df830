"""What a vendor made is told as OpenAI tells it."""

import msgspec

from gateway.plugin.hosted import image_call


def test_an_image_has_the_format_that_its_media_type_names() -> None:
    assert msgspec.to_builtins(image_call("AAAA", "image/webp")) == {
        "type": "image_generation_call",
        "status": "completed",
        "result": "AAAA",
        "output_format": "webp",
    }
