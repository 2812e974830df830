"""Read `model_list`: LiteLLM's shape, with our own settings beside its."""

from __future__ import annotations

from typing import Literal, cast

from gateway.config import litellm
from gateway.config.reader import Node, Reader, Words
from gateway.config.settings import ModelEntry

__all__ = ["read_models"]

_ENTRY = Words(
    frozenset(("model_name", "params", "model_info")),
    aliases={"litellm_params": "params"},
    foreign=litellm.ENTRY,
)
_PARAMS = Words(
    frozenset(ModelEntry.__struct_fields__) - {"name"},
    aliases={
        "api_base": "base_url",
        "drop_params": "on_unsupported",
        "extra_headers": "headers",
        "max_retries": "retries",
        "timeout": "timeouts",
    },
    foreign=litellm.PARAMS,
)
_MODEL_INFO = Words(frozenset(("id", "mode")), foreign=litellm.MODEL_INFO)
_Mode = Literal["chat", "completion", "responses"]


def read_models(reader: Reader, node: Node | None) -> tuple[ModelEntry, ...]:
    """Return the entries of `model_list`; a file without one is a problem."""
    elements = reader.sequence(node) if node else []
    if not node or node.value == []:
        reader.report(Node(None, "model_list"), "is missing or empty; list at least one model")
    entries = [_model(reader, element) for element in elements]
    return tuple(entry for entry in entries if entry is not None)


def _model(reader: Reader, node: Node) -> ModelEntry | None:
    entry = reader.mapping(node, _ENTRY)
    if "model_info" in entry:
        _check_model_info(reader, entry["model_info"])
    missing = [key for key in ("model_name", "params") if key not in entry]
    for key in missing:
        reader.report(node.child(key, None), "is missing")
    if missing:
        return None
    name = reader.value(str, entry["model_name"])
    return reader.struct(ModelEntry, _in_our_words(entry["params"]), _PARAMS, name=name)


def _in_our_words(params: Node) -> Node:
    """Take what LiteLLM says in another form: its one timeout, `drop_params`, and what belongs to
    one vendor only, which are `settings` here.

    The timeout is, as in its HTTP client, how long the upstream may be silent.
    """
    written = params.value
    if not isinstance(written, dict):
        return params
    value = dict(cast("dict[object, object]", written))
    if vendor := {str(key): value.pop(key) for key in [*value] if _of_a_vendor(key)}:
        settings = value.get("settings")
        value["settings"] = {**vendor, **settings} if isinstance(settings, dict) else vendor
    timeout = value.get("timeout")
    if timeout is not None and not isinstance(timeout, dict):
        value["timeout"] = {"first_byte": timeout, "idle": timeout}
    if isinstance(value.get("drop_params"), bool):
        value["drop_params"] = "drop" if value["drop_params"] else "reject"
    return Node(value, params.path)


def _of_a_vendor(key: object) -> bool:
    return isinstance(key, str) and key.startswith(litellm.VENDORS)


def _check_model_info(reader: Reader, node: Node) -> None:
    """LiteLLM's own pages show these; `id` and `mode` change nothing that the gateway does."""
    info = reader.mapping(node, _MODEL_INFO)
    if "mode" in info:
        reader.value(_Mode, info["mode"])
