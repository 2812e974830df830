"""What the tests share: requests in, bodies out, and what Anthropic's own types say of them."""

import types
import typing
from collections.abc import Callable
from typing import Any, Literal

import msgspec
import pytest
import typing_extensions
from anthropic.types.message_create_params import MessageCreateParamsStreaming

from gateway.plugin import Call, UpstreamRequest
from gateway.testing.cases import call_of
from gateway.testing.preparing import Prepared
from gateway.types.request import decode_request
from gateway_anthropic import AnthropicDialect

DIALECT = AnthropicDialect()
CLAUDE = "claude-opus-4-8"


def call_for(request: dict[str, Any], model: str, quirks: dict[str, Any]) -> Call:
    body = msgspec.json.encode({"model": "alias", "input": "Hello", **request})
    call = call_of(decode_request(body), quirks)
    deployment = msgspec.structs.replace(call.deployment, model=model)
    return msgspec.structs.replace(call, model=model, deployment=deployment)


@pytest.fixture
def prepare() -> Callable[..., Prepared]:
    """Return a request, given without the model, as the core hands it over."""

    def run(
        request: dict[str, Any],
        *,
        model: str = CLAUDE,
        on_unsupported: Literal["reject", "drop"] = "reject",
        **quirks: Any,
    ) -> Prepared:
        call = call_for(request, model, quirks)
        deployment = msgspec.structs.replace(call.deployment, on_unsupported=on_unsupported)
        return Prepared(DIALECT, msgspec.structs.replace(call, deployment=deployment))

    return run


@pytest.fixture
def send(prepare: Callable[..., Prepared]) -> Callable[..., UpstreamRequest]:
    """Write a request that must be accepted as a request to Anthropic."""

    def run(request: dict[str, Any], **options: Any) -> UpstreamRequest:
        prepared = prepare(request, **options)
        assert prepared.rejected == []
        return prepared.encode()

    return run


@pytest.fixture
def encode(send: Callable[..., UpstreamRequest]) -> Callable[..., dict[str, Any]]:
    """Write a request that must be accepted, and return the body."""

    def run(request: dict[str, Any], **options: Any) -> dict[str, Any]:
        return msgspec.json.decode(send(request, **options).body)

    return run


@pytest.fixture
def judge(prepare: Callable[..., Prepared]) -> Callable[..., dict[str, str]]:
    """Check a request and return the action for each parameter that is not simply honoured."""

    def run(request: dict[str, Any], **options: Any) -> dict[str, str]:
        return {verdict.param: verdict.action for verdict in prepare(request, **options).verdicts}

    return run


@pytest.fixture
def complaints() -> Callable[[Any], list[str]]:
    """Say what of a body the types of Anthropic's SDK do not know."""
    return lambda body: mismatches(body, MessageCreateParamsStreaming, "body")


def mismatches(value: Any, kind: Any, path: str) -> list[str]:
    """Return where `value` is not of the type `kind`; unlike pydantic, this looks into iterables
    and allows no members besides those of a `TypedDict`.
    """
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if typing_extensions.is_typeddict(kind):
        return unlike(value, kind, path)
    if origin in (typing.Required, typing.Annotated):
        return mismatches(value, arguments[0], path)
    if origin in (typing.Union, types.UnionType):  # the fewest that any of its members has
        return min((mismatches(value, one, path) for one in arguments), key=len)
    if origin is typing.Literal:
        return [] if value in arguments else [f"{path}: {value!r} is none of {arguments}"]
    if origin is None:
        allowed: Any = int | float if kind is float else kind
        return [] if isinstance(value, allowed) else [f"{path}: {value!r} is no {kind}"]
    return within(value, arguments[-1], path, list if origin is not dict else dict)


def within(value: Any, kind: Any, path: str, container: type) -> list[str]:
    if not isinstance(value, container):
        return [f"{path}: {value!r} is no {container}"]
    members = value.items() if isinstance(value, dict) else enumerate(value)
    return [bad for key, one in members for bad in mismatches(one, kind, f"{path}[{key}]")]


def unlike(value: Any, kind: Any, path: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{path}: {value!r} is no object"]
    hints = typing_extensions.get_type_hints(kind, include_extras=True)
    needed = {name for name, hint in hints.items() if typing.get_origin(hint) is typing.Required}
    missing = [f"{path}.{name} is missing" for name in needed - value.keys()]
    unknown = [f"{path}.{name} is unknown" for name in value.keys() - hints.keys()]
    known = value.keys() & hints.keys()
    inner = [
        bad for name in known for bad in mismatches(value[name], hints[name], f"{path}.{name}")
    ]
    return missing + unknown + inner
