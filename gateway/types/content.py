"""Content parts of messages, tool outputs and reasoning, with annotations and log probabilities."""

from typing import TYPE_CHECKING

from msgspec import UNSET, Struct

from gateway.types.open import Unknown, open_union
from gateway.types.wire import Omittable, Tagged

__all__ = [
    "Annotation",
    "AudioData",
    "CacheBreakpoint",
    "ComputerScreenshot",
    "ContainerFileCitation",
    "ContentPart",
    "FileCitation",
    "FilePath",
    "InputAudio",
    "InputFile",
    "InputImage",
    "InputText",
    "Logprob",
    "OutputText",
    "ReasoningText",
    "Refusal",
    "SummaryText",
    "TopLogprob",
    "UrlCitation",
]


class CacheBreakpoint(Struct, frozen=True, kw_only=True):
    """Marks the end of a prefix that the prompt cache should keep."""

    mode: str = "explicit"
    ttl: Omittable[str] = UNSET


class InputText(Tagged, Struct, frozen=True, kw_only=True, tag="input_text"):
    text: str
    prompt_cache_breakpoint: Omittable[CacheBreakpoint] = UNSET


class InputImage(Tagged, Struct, frozen=True, kw_only=True, tag="input_image"):
    """An image by URL (`https:` or `data:`) or by file id."""

    detail: Omittable[str] = UNSET
    image_url: Omittable[str] = UNSET
    file_id: Omittable[str] = UNSET
    prompt_cache_breakpoint: Omittable[CacheBreakpoint] = UNSET


class InputFile(Tagged, Struct, frozen=True, kw_only=True, tag="input_file"):
    """A file by URL, by file id, or as a `data:` URL in `file_data`."""

    filename: Omittable[str] = UNSET
    file_data: Omittable[str] = UNSET
    file_url: Omittable[str] = UNSET
    file_id: Omittable[str] = UNSET
    detail: Omittable[str] = UNSET
    prompt_cache_breakpoint: Omittable[CacheBreakpoint] = UNSET


class AudioData(Struct, frozen=True, kw_only=True):
    """Base64 audio; `format` is "wav" or "mp3"."""

    data: str
    format: str


class InputAudio(Tagged, Struct, frozen=True, kw_only=True, tag="input_audio"):
    """Audio as Chat Completions sends it; OpenAI's Responses types do not list it."""

    input_audio: AudioData


class ComputerScreenshot(Tagged, Struct, frozen=True, kw_only=True, tag="computer_screenshot"):
    image_url: Omittable[str] = UNSET
    file_id: Omittable[str] = UNSET
    detail: Omittable[str] = UNSET


class UrlCitation(Tagged, Struct, frozen=True, kw_only=True, tag="url_citation"):
    """A web source of the text from `start_index` to `end_index` (characters).

    Some vendors list sources by URL alone.
    """

    url: str
    title: str = ""
    start_index: int = 0
    end_index: int = 0


class FileCitation(Tagged, Struct, frozen=True, kw_only=True, tag="file_citation"):
    file_id: str
    filename: str
    index: int


class ContainerFileCitation(
    Tagged, Struct, frozen=True, kw_only=True, tag="container_file_citation"
):
    container_id: str
    file_id: str
    filename: str
    start_index: int
    end_index: int


class FilePath(Tagged, Struct, frozen=True, kw_only=True, tag="file_path"):
    file_id: str
    index: int


class TopLogprob(Struct, frozen=True, kw_only=True):
    token: str
    logprob: float
    bytes: Omittable[tuple[int, ...]] = UNSET


class Logprob(Struct, frozen=True, kw_only=True):
    token: str
    logprob: float
    bytes: Omittable[tuple[int, ...]] = UNSET
    top_logprobs: Omittable[tuple[TopLogprob, ...]] = ()


if TYPE_CHECKING:
    Annotation = UrlCitation | FileCitation | ContainerFileCitation | FilePath | Unknown
else:
    Annotation = open_union(
        "Annotation", UrlCitation, FileCitation, ContainerFileCitation, FilePath
    )


class OutputText(Tagged, Struct, frozen=True, kw_only=True, tag="output_text"):
    text: str
    annotations: tuple[Annotation, ...] = ()
    logprobs: tuple[Logprob, ...] | None = ()


class Refusal(Tagged, Struct, frozen=True, kw_only=True, tag="refusal"):
    refusal: str


class SummaryText(Tagged, Struct, frozen=True, kw_only=True, tag="summary_text"):
    text: str


class ReasoningText(Tagged, Struct, frozen=True, kw_only=True, tag="reasoning_text"):
    text: str


if TYPE_CHECKING:
    ContentPart = (
        InputText
        | InputImage
        | InputFile
        | InputAudio
        | OutputText
        | Refusal
        | SummaryText
        | ReasoningText
        | ComputerScreenshot
        | Unknown
    )
else:
    ContentPart = open_union(
        "ContentPart",
        InputText,
        InputImage,
        InputFile,
        InputAudio,
        OutputText,
        Refusal,
        SummaryText,
        ReasoningText,
        ComputerScreenshot,
        aliases={"text": InputText},  # what clients write who come from Chat Completions
    )
