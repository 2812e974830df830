"""A request's instructions and items, written as the system texts and messages of Converse."""

import re
from collections import Counter
from collections.abc import Mapping

import msgspec
from msgspec import Raw

from gateway.errors import InvalidRequestError
from gateway.plugin.content import Content, items_of, read_base64, read_data_url, text_of
from gateway.plugin.names import safe_name
from gateway.plugin.pairing import CallIds, Output, pair_outputs, read_arguments
from gateway.plugin.turns import Turns
from gateway.types.content import ContentPart, InputFile, InputImage, InputText
from gateway.types.items import FunctionCall, InputItem, Message, Reasoning
from gateway.types.request import Request
from gateway_bedrock.answer import Json
from gateway_bedrock.quirks import Quirks

__all__ = ["Conversation", "problem"]

_IMAGES = {"png": "png", "jpeg": "jpeg", "jpg": "jpeg", "gif": "gif", "webp": "webp"}
_OFFICE = "vnd.openxmlformats-officedocument."
_DOCUMENTS = (
    {form: form for form in ("pdf", "csv", "doc", "docx", "xls", "xlsx", "html", "txt", "md")}
    | {"plain": "txt", "markdown": "md", "msword": "doc", "vnd.ms-excel": "xls"}
    | {f"{_OFFICE}wordprocessingml.document": "docx", f"{_OFFICE}spreadsheetml.sheet": "xlsx"}
)
"""Formats by media type, or by what the name of a file ends in."""


class Conversation(Turns):
    """The `system` texts and `messages` of `request`, and the names of the tools `called`.

    A turn's results stand first in what the user says next, wherever they are in the input. Raises
    `InvalidRequestError` if the user does not begin, or calls, outputs and arguments do not match.
    """

    def __init__(self, request: Request, quirks: Quirks) -> None:
        super().__init__()
        self.system: list[Json] = [{"text": request.instructions}] if request.instructions else []
        self.called: list[str] = []
        self._cited = {"citations": {"enabled": True}} if quirks.citations else {}
        self._names = Counter[str]()
        self._ids = CallIds("[a-zA-Z0-9_.:-]{1,64}")
        items = items_of(request)
        outputs = pair_outputs(items)
        for position, item in enumerate(items):
            self._add(item, position, outputs.get(position))
        self.say("user")
        if not self.messages or self.messages[0]["role"] != "user":
            raise InvalidRequestError("a conversation begins with the user's words", param="input")

    def _add(self, item: InputItem, position: int, output: Output | None) -> None:
        match item:
            case Reasoning(encrypted_content=str(carrier)):
                self.say("assistant", *msgspec.json.decode(carrier, type=tuple[Raw, ...]))
            case Message(role="user" | "assistant" as role, content=content):
                self.say(role, *self._blocks(content))
            case Message(content=content) if self.messages:
                self.say("user", *map(_tagged, self._blocks(content)))
            case Message(content=content):
                self.system += self._blocks(content)
            case FunctionCall() if output:
                self._call(item, position, output)
            case _ if item.type.endswith("_output"):
                self.say("user")  # the results of the turn that ends here
            case _:
                pass  # what a tool of the vendor's did: it is in the carrier beside it

    def _call(self, call: FunctionCall, position: int, output: Output) -> None:
        name = {"toolUseId": self._ids.take(call.call_id)}
        asked = Raw(read_arguments(call, position).encode())
        self.called.append(call.name)
        use = {**name, "name": safe_name(call.name), "input": asked}
        self.say("assistant", {"toolUse": use})
        blocks = self._blocks(output.output)
        told = [block for block in blocks if "cachePoint" not in block]
        points = [block for block in blocks if "cachePoint" in block]
        self.answer({"toolResult": {**name, "content": told}}, *points)

    def _blocks(self, content: Content) -> list[Json]:
        """Return the blocks of `content`, without texts that are blank: Bedrock refuses them."""
        blocks: list[Json] = []
        for part in (InputText(text=content),) if isinstance(content, str) else content:
            block = _block(part)
            if document := block.get("document"):
                self._names[document["name"]] += 1
                if (count := self._names[document["name"]]) > 1:
                    document["name"] += f" ({count})"
                document |= self._cited
            if block.get("text", "there").strip():
                blocks.append(block)
            if (wanted := getattr(part, "prompt_cache_breakpoint", None)) and blocks:
                ttl = {"ttl": "5m" if wanted.ttl == "5m" else "1h"} if wanted.ttl else {}
                blocks.append({"cachePoint": {"type": "default", **ttl}})
        kinds = {kind for block in blocks for kind in block}
        is_alone = "document" in kinds and "text" not in kinds  # which Bedrock refuses
        return [{"text": "See the document."}, *blocks] if is_alone else blocks


def _tagged(block: Json) -> Json:
    return {"text": f"<system>\n{block['text']}\n</system>"} if "text" in block else block


def problem(part: ContentPart) -> str:
    """Say why Bedrock cannot take `part`; nothing if it can."""
    try:
        _block(part)
    except InvalidRequestError as error:
        return error.message
    return ""


def _block(part: ContentPart) -> Json:
    match part:
        case InputImage(image_url=url):
            return {"image": _attachment(url or "", "", _IMAGES)}
        case InputFile(filename=name):
            stem = re.sub(r"[^a-zA-Z0-9()\[\]-]+", " ", (name or "").rpartition(".")[0])
            document = _attachment(part.file_data or part.file_url or "", name or "", _DOCUMENTS)
            return {"document": {**document, "name": stem.strip()[:150].strip() or "document"}}
        case _ if (text := text_of(part)) is not None:
            return {"text": text}
        case _:
            raise InvalidRequestError(f"Bedrock knows no content of type {part.type!r}")


def _attachment(url: str, name: str, formats: Mapping[str, str]) -> Json:
    """Return format and source of an image or a document."""
    kind, data = read_data_url(url) or ("", url)
    if url.startswith("s3://"):
        name, source = url, {"s3Location": {"uri": url}}
    elif not url or url.startswith(("http://", "https://")):
        raise InvalidRequestError("Bedrock fetches nothing: send base64, or an s3:// address")
    else:
        source = {"bytes": data if kind else read_base64(data)}
    endings = (kind.rpartition("/")[2], name.rpartition(".")[2].lower())
    if form := next((formats[ending] for ending in endings if ending in formats), None):
        return {"format": form, "source": source}
    raise InvalidRequestError(f"Bedrock takes only {', '.join(sorted({*formats.values()}))}")
