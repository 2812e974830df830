"""Acme's models, by Acme's own API."""

from gateway.plugin import ApiKey, Provider, hookimpl
from gateway_acme.dialect import AcmeDialect


@hookimpl
def gateway_providers() -> list[Provider]:
    return [
        Provider(
            name="acme",
            dialect=AcmeDialect(),
            base_url="https://api.acme.example",
            credentials=ApiKey(env=("ACME_API_KEY",), header="acme-key", prefix=""),
            models=("large",),
        )
    ]
