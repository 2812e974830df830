"""Find the installed plugins and ask them what they offer."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar, cast

import pluggy
from msgspec import Struct
from msgspec.structs import replace

from gateway.config import Config
from gateway.errors import PluginError
from gateway.plugin import hookspecs
from gateway.plugin.dialect import Dialect, NativeDialect
from gateway.plugin.observe import Observer
from gateway.plugin.provider import Provider
from gateway.plugin.store import StoreKind
from gateway.plugin.tools import ToolRunner

__all__ = ["ENTRY_POINT_GROUP", "PluginInfo", "Plugins"]

ENTRY_POINT_GROUP = "gateway"

Named = TypeVar("Named", Provider, StoreKind)


class PluginInfo(Struct, frozen=True, kw_only=True):
    """A loaded plugin, as `gateway plugins` lists it."""

    name: str
    distribution: str
    version: str
    providers: tuple[str, ...]


class Plugins:
    """The plugins of one gateway. Not a global: every `Gateway`, and every test, has its own.

    `extra` are plugin objects to register besides the installed ones, `blocked` the names of
    those not to load. Raises `PluginError`, which names the plugin, if one cannot be imported,
    implements an unknown hook, makes a bad offer, or offers what another plugin offers already.
    """

    def __init__(
        self,
        extra: Iterable[object] = (),
        *,
        entry_points: bool = True,
        blocked: Iterable[str] = (),
    ) -> None:
        self._manager = pluggy.PluginManager(ENTRY_POINT_GROUP)
        self._manager.add_hookspecs(hookspecs)
        self._distributions: dict[str, importlib.metadata.Distribution] = {}
        blocked = frozenset(blocked)
        if entry_points:
            self._load_installed(blocked)
        for plugin in extra:
            self._register(plugin, None)
        self._providers = self._named(self._manager.hook.gateway_providers, Provider)
        self._dialects = self._collect_dialects()
        self._providers = {
            name: (owner, self._with_dialect(owner, provider))
            for name, (owner, provider) in self._providers.items()
        }

    def providers(self) -> Mapping[str, Provider]:
        """Return every provider by name, each with its dialect resolved."""
        return {name: provider for name, (_, provider) in self._providers.items()}

    def stores(self) -> Mapping[str, StoreKind]:
        """Return every kind of store by name."""
        found = self._named(self._manager.hook.gateway_stores, StoreKind)
        return {name: kind for name, (_, kind) in found.items()}

    def observers(self, config: Config) -> list[Observer]:
        """Return the observers that the plugins offer for `config`."""
        return [offer for _, offer in self._offers(self._manager.hook.gateway_observers, config)]

    def tool_runners(self, config: Config) -> list[ToolRunner]:
        """Return the tool runners that the plugins offer for `config`."""
        return [offer for _, offer in self._offers(self._manager.hook.gateway_tool_runners, config)]

    def listing(self) -> list[PluginInfo]:
        """Return the loaded plugins in the order of their names."""
        found: list[PluginInfo] = []
        for name, _ in sorted(self._manager.list_name_plugin()):
            distribution = self._distributions.get(name)
            found.append(
                PluginInfo(
                    name=name,
                    distribution=distribution.metadata["Name"] if distribution else "",
                    version=distribution.version if distribution else "",
                    providers=tuple(
                        provider
                        for provider, (owner, _) in self._providers.items()
                        if owner == name
                    ),
                )
            )
        return found

    def _load_installed(self, blocked: frozenset[str]) -> None:
        for distribution in importlib.metadata.distributions():
            for entry_point in distribution.entry_points.select(group=ENTRY_POINT_GROUP):
                name = entry_point.name
                if name in blocked or self._manager.get_plugin(name):
                    continue
                try:
                    plugin = entry_point.load()
                except BaseException as error:
                    if isinstance(error, KeyboardInterrupt | SystemExit):
                        raise
                    raise PluginError(
                        f"plugin {name!r} cannot be imported: {_reason(error)}"
                    ) from error
                self._distributions[name] = distribution
                self._register(plugin, name)

    def _register(self, plugin: object, name: str | None) -> None:
        label = name or getattr(plugin, "__name__", type(plugin).__name__)
        try:
            self._manager.register(plugin, label)
            self._manager.check_pending()
        except (pluggy.PluginValidationError, ValueError) as error:
            raise PluginError(f"plugin {label!r} cannot be registered: {_reason(error)}") from error

    def _offers(self, hook: pluggy.HookCaller, *arguments: Any) -> list[tuple[str, Any]]:
        offers: list[tuple[str, Any]] = []
        for implementation in hook.get_hookimpls():
            owner = implementation.plugin_name
            call = cast("Callable[..., Iterable[Any]]", implementation.function)
            try:
                made = list(call(*arguments[: len(implementation.argnames)]))
            except Exception as error:
                raise PluginError(
                    f"plugin {owner!r}: {hook.name} failed: {_reason(error)}"
                ) from error
            offers.extend((owner, offer) for offer in made)
        return offers

    def _named(self, hook: pluggy.HookCaller, kind: type[Named]) -> dict[str, tuple[str, Named]]:
        found: dict[str, tuple[str, Named]] = {}
        for owner, offer in self._offers(hook):
            if not isinstance(offer, kind):
                raise PluginError(
                    f"plugin {owner!r}: {hook.name} offers {offer!r}, which is no {kind.__name__}"
                )
            if offer.name in found:
                first = found[offer.name][0]
                raise PluginError(
                    f"plugins {first!r} and {owner!r} both offer {offer.name!r}; block one of them"
                    " with `plugins: {block: [...]}`"
                )
            found[offer.name] = (owner, offer)
        return found

    def _collect_dialects(self) -> dict[str, Dialect | NativeDialect]:
        dialects: dict[str, Dialect | NativeDialect] = {}
        for owner, provider in self._providers.values():
            dialect = provider.dialect
            if isinstance(dialect, str):
                continue
            known = dialects.setdefault(dialect.name, dialect)
            if type(known) is not type(dialect):
                raise PluginError(
                    f"plugin {owner!r}: another dialect is already called {dialect.name!r}"
                )
        return dialects

    def _with_dialect(self, owner: str, provider: Provider) -> Provider:
        dialect = provider.dialect
        if not isinstance(dialect, str):
            return provider
        if dialect not in self._dialects:
            raise PluginError(
                f"plugin {owner!r}: provider {provider.name!r} speaks {dialect!r},"
                " a dialect that no installed plugin brings"
            )
        return replace(provider, dialect=self._dialects[dialect])


def _reason(error: BaseException) -> str:
    text = str(error).splitlines()
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__
