"""What all classes of the kit share: the dialect, and that nobody quietly leaves a test out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from inspect import isfunction
from typing import Any, ClassVar, Literal, cast

import msgspec
import pytest
from msgspec.structs import replace

from gateway.plugin import Dialect
from gateway.testing.cases import call_of
from gateway.testing.preparing import Prepared
from gateway.types.request import decode_request

__all__ = ["Json", "Suite", "complain", "text_of"]

Json = Mapping[str, Any]

_KIT = __name__.rpartition(".")[0]


class Suite:
    """Tests of a `dialect`, to be inherited.

    `quirks` are those of the deployment that it is tested on. `ignores` are parts of a request
    that do not show in what is sent, each with the reason: `{"tools[].strict": "acme is strict"}`.

    A test that cannot pass is overridden with the same name, a call of `super()` and the mark
    `pytest.mark.xfail(reason=...)`. Whoever overrides or deletes one without has a failing suite.
    """

    dialect: ClassVar[Dialect]
    quirks: ClassVar[Mapping[str, Any]] = {}
    ignores: ClassVar[Mapping[str, str]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if complaints := [*_overridden(cls)]:
            raise TypeError(f"{cls.__qualname__} is not the kit's: {'; '.join(complaints)}")

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Refuse what has been left out since the class was made: by a mark, or from outside."""
        complaints = [*_overridden(type(self))]
        if any(_is_unexplained(mark) for mark in metafunc.definition.iter_markers("skip")):
            complaints.append(f"{metafunc.definition.name} is skipped without a reason")
        if complaints:
            raise pytest.Collector.CollectError("; ".join(complaints))

    def _prepare(
        self, request: Json, *, on_unsupported: Literal["reject", "drop"] = "reject"
    ) -> Prepared:
        """Return `request`, of which only what matters is given, as `encode` gets it."""
        body = msgspec.json.encode({"model": "some-model", "input": "Hello", **request})
        call = call_of(decode_request(body), self.quirks)
        deployment = replace(call.deployment, on_unsupported=on_unsupported)
        return Prepared(self.dialect, replace(call, deployment=deployment))


def complain(rule: str, complaints: Iterable[str]) -> None:
    """Fail the test, if there are complaints, with all of them under the `rule` they break."""
    if found := [*complaints]:
        pytest.fail("\n  - ".join([f"{rule}. But:", *found]), pytrace=False)


def text_of(value: object) -> str:
    """Return `value` as JSON."""
    return msgspec.json.encode(value).decode()


def _overridden(suite: type) -> Iterator[str]:
    for name, test in _tests_of_the_kit(suite).items():
        actual = getattr(suite, name, None)
        if actual is test or any(_is_excused(mark) for mark in getattr(actual, "pytestmark", ())):
            continue
        what = "overridden" if callable(actual) else "deleted"
        yield f"{name} is {what}: mark it with pytest.mark.xfail(reason=...) and call super()"


def _tests_of_the_kit(suite: type) -> dict[str, Callable[..., None]]:
    """Return the tests that `suite` inherits from this package, by name."""
    tests: dict[str, Callable[..., None]] = {}
    for owner in suite.__mro__:
        if owner.__module__.startswith(f"{_KIT}."):
            for name, value in vars(owner).items():
                if name.startswith("test_") and isfunction(value):
                    tests.setdefault(name, cast("Callable[..., None]", value))
    return tests


def _is_excused(mark: pytest.Mark) -> bool:
    return mark.name == "xfail" and bool(str(mark.kwargs.get("reason", "")).strip())


def _is_unexplained(mark: pytest.Mark) -> bool:
    reason = mark.kwargs.get("reason") or (mark.args and mark.args[0])
    return not str(reason or "").strip()
