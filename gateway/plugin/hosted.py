"""What a vendor's own tools did, as the items that OpenAI's clients know for it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from gateway.types.items import CodeInterpreterCall, ImageGenerationCall, WebSearchCall

__all__ = ["code_call", "image_call", "page_call", "search_call"]


def search_call(
    queries: Sequence[str], found: Iterable[str], include: Collection[str], *, status: str
) -> WebSearchCall:
    """Return a search for all `queries`, with the addresses `found` if `include` names them."""
    action: dict[str, Any] = {
        "type": "search",
        "query": "".join(queries[:1]),
        "queries": [*queries],
    }
    if "web_search_call.action.sources" in include:
        action["sources"] = [{"type": "url", "url": url} for url in found]
    return WebSearchCall(status=status, action=action)


def page_call(url: str | None, *, status: str) -> WebSearchCall:
    """Return the visit of one page; None if nobody says which."""
    return WebSearchCall(status=status, action={"type": "open_page", "url": url})


def code_call(
    code: str, logs: str, include: Collection[str], *, status: str, container: str = ""
) -> CodeInterpreterCall:
    """Return a run of `code`, with the `logs` that it wrote if `include` names its outputs."""
    is_told = "code_interpreter_call.outputs" in include
    return CodeInterpreterCall(
        container_id=container,
        status=status,
        code=code,
        outputs=({"type": "logs", "logs": logs},) if is_told else None,
    )


def image_call(data: str | None, media_type: str) -> ImageGenerationCall:
    """Return the making of an image, whose `data` is base64."""
    form = media_type.removeprefix("image/")
    return ImageGenerationCall(status="completed", result=data, output_format=form)
