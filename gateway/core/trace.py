"""What is known of one request while it runs, for the observers when it has ended."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from gateway.errors import GatewayError
from gateway.plugin.deployment import Deployment
from gateway.plugin.observe import Observer, RequestRecord
from gateway.types.response import Usage

__all__ = ["Trace"]


class Trace:
    """Follows one request and tells the observers once, when it has ended. `now` counts seconds."""

    def __init__(
        self, *, request_id: str, tenant: str, operation: str, now: Callable[[], float]
    ) -> None:
        self._request_id = request_id
        self._tenant = tenant
        self._operation = operation
        self._now = now
        self._began = now()
        self._first_byte: float | None = None
        self._deployment: Deployment | None = None
        self._attempts = 0
        self.model = ""
        self.stream = False

    def attempt(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._attempts += 1

    def first_byte(self) -> None:
        self._first_byte = self._now() - self._began

    def end(
        self,
        observers: Iterable[Observer],
        outcome: str,
        *,
        error: GatewayError | None = None,
        usage: Usage | None = None,
    ) -> None:
        """Tell `observers` how the request ended."""
        deployment = self._deployment
        record = RequestRecord(
            request_id=self._request_id,
            tenant=self._tenant,
            operation=self._operation,
            model=self.model,
            provider=deployment.provider if deployment else "",
            upstream_model=deployment.model if deployment else "",
            stream=self.stream,
            status=error.status if error else 200,
            outcome=outcome,
            error_code=(error.code or error.type) if error else None,
            attempts=self._attempts,
            first_byte_seconds=self._first_byte,
            seconds=self._now() - self._began,
            usage=usage,
        )
        for observer in observers:
            observer.finished(record)
