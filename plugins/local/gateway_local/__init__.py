"""A small real model on this machine's CPU: provider `local`, model `local/smollm2`."""

from collections.abc import Iterable

from gateway.plugin import Download, NoKey, Provider, hookimpl
from gateway_local.child import launch
from gateway_local.weights import fetch

__all__ = ["LOCAL", "gateway_providers"]

LOCAL = Provider(
    name="local",
    dialect="chat",
    credentials=NoKey(),
    # The model's template knows no tools, but a JSON schema in `response_format` is always kept.
    quirks={"tools": "constrained", "images": "none", "effort": "none"},
    models=("smollm2",),
    downloads=(
        Download(
            name="smollm2",
            summary="SmolLM2-135M-Instruct, 4 bits, 98 MB: small talk, tool calls and JSON",
            licence="Apache-2.0",
            fetch=fetch,
        ),
    ),
    launch=launch,
)


@hookimpl
def gateway_providers() -> Iterable[Provider]:
    return (LOCAL,)
