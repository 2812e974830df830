"""Plugins are found, asked once, and blamed by name."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar, Literal

import pytest

from gateway.config import Config, default_config
from gateway.errors import PluginError, UpstreamError
from gateway.plugin import (
    Failure,
    NativeCall,
    NoKey,
    Provider,
    RequestRecord,
    UpstreamRequest,
    hookimpl,
)
from gateway.plugin.manager import Plugins


class SilentDialect:
    """An invented dialect that says nothing."""

    name: ClassVar[str] = "silent"
    native: ClassVar[Literal[True]] = True

    def encode(self, call: NativeCall, /) -> UpstreamRequest:
        return UpstreamRequest(url=call.deployment.base_url)

    def error(self, failure: Failure, /) -> UpstreamError:
        return UpstreamError(str(failure.status))


class OtherDialect(SilentDialect):
    """Another one that claims the same name."""


class Quiet:
    """A plugin with one provider."""

    def __init__(self, name: str, dialect: SilentDialect | str | None = None) -> None:
        self._name = name
        self._dialect = dialect or SilentDialect()
        self.__name__ = f"plugin-of-{name}"

    @hookimpl
    def gateway_providers(self) -> list[Provider]:
        return [Provider(name=self._name, dialect=self._dialect, credentials=NoKey())]


def loaded(*extra: object) -> Plugins:
    return Plugins(extra, entry_points=False)


@pytest.fixture
def broken_distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An installed distribution (invented) whose plugin raises when it is imported."""
    (tmp_path / "acme_broken.py").write_text("raise RuntimeError('no licence file')\n")
    information = tmp_path / "acme_broken-1.0.dist-info"
    information.mkdir()
    (information / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: acme-broken\nVersion: 1.0\n"
    )
    (information / "entry_points.txt").write_text("[gateway]\nacme = acme_broken\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("acme_broken", None)


def test_the_installed_plugins_are_found_and_listed() -> None:
    plugins = Plugins()
    assert {"openai", "azure", "local", "ollama"} <= set(plugins.providers())
    listing = {plugin.name: plugin for plugin in plugins.listing()}
    assert listing["openai"].distribution == "gateway-openai"
    assert "openai" in listing["openai"].providers


def test_a_blocked_plugin_is_not_loaded() -> None:
    names = {plugin.name for plugin in Plugins(blocked=["local"]).listing()}
    assert "local" not in names
    assert "openai" in names


@pytest.mark.usefixtures("broken_distribution")
def test_a_plugin_that_raises_at_import_is_named_in_one_line() -> None:
    with pytest.raises(PluginError) as raised:
        Plugins()
    assert raised.value.message == (
        "plugin 'acme' cannot be imported: RuntimeError: no licence file"
    )


@pytest.mark.usefixtures("broken_distribution")
def test_a_broken_plugin_can_be_blocked() -> None:
    assert "openai" in Plugins(blocked=["acme"]).providers()


def test_a_misspelt_hook_is_an_error_that_names_plugin_and_hook() -> None:
    def gateway_provider() -> list[Provider]:
        return []

    typo = SimpleNamespace(__name__="typo", gateway_provider=hookimpl(gateway_provider))
    with pytest.raises(PluginError, match=r"'typo'.*gateway_provider") as raised:
        loaded(typo)
    assert "\n" not in raised.value.message


def test_two_plugins_cannot_offer_one_provider() -> None:
    twin = Quiet("acme")
    twin.__name__ = "twin"
    with pytest.raises(PluginError, match=r"'plugin-of-acme' and 'twin' both offer 'acme'"):
        loaded(Quiet("acme"), twin)


def test_an_offer_of_the_wrong_kind_is_an_error() -> None:
    def gateway_providers() -> list[str]:
        return ["acme"]

    wrong = SimpleNamespace(__name__="wrong", gateway_providers=hookimpl(gateway_providers))
    with pytest.raises(PluginError, match=r"'wrong'.*'acme'.*no Provider"):
        loaded(wrong)


def test_a_hook_that_raises_is_an_error_that_names_the_plugin() -> None:
    def gateway_providers() -> list[Provider]:
        raise ValueError("out of stock")

    failing = SimpleNamespace(__name__="failing", gateway_providers=hookimpl(gateway_providers))
    with pytest.raises(PluginError, match=r"'failing': gateway_providers failed.*out of stock"):
        loaded(failing)


def test_a_provider_may_name_the_dialect_of_another_plugin() -> None:
    plugins = loaded(Quiet("follower", "silent"), Quiet("owner"))
    dialect = plugins.providers()["follower"].dialect
    assert isinstance(dialect, SilentDialect)


def test_a_dialect_that_nobody_brings_is_an_error() -> None:
    with pytest.raises(PluginError, match=r"'follower' speaks 'unheard'"):
        loaded(Quiet("follower", "unheard"))


def test_two_dialects_cannot_have_one_name() -> None:
    with pytest.raises(PluginError, match="already called 'silent'"):
        loaded(Quiet("one"), Quiet("two", OtherDialect()))


def test_observers_get_the_configuration() -> None:
    seen: list[Config] = []

    class Watcher:
        def finished(self, record: RequestRecord, /) -> None: ...

    def gateway_observers(config: Config) -> list[Watcher]:
        seen.append(config)
        return [Watcher()]

    watching = SimpleNamespace(__name__="watching", gateway_observers=hookimpl(gateway_observers))
    config = default_config({})
    assert len(loaded(watching).observers(config)) == 1
    assert seen == [config]
