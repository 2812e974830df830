"""Which addresses a server that a client named may have: public ones, in every spelling.

A name is checked where it matters, on the address that a socket is about to connect to: whatever
the resolver said before, or says the next time, is of no interest.
"""

from __future__ import annotations

import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

from aiohttp.abc import AbstractResolver
from aiohttp.connector import TCPConnector

__all__ = ["RefusedAddressError", "connector", "refusal"]

# The registries of special addresses (https://www.iana.org/assignments, 2026-11), by network.
_REFUSED_4: dict[IPv4Network, str] = {
    IPv4Network("0.0.0.0/8"): "unspecified",
    IPv4Network("10.0.0.0/8"): "private",
    IPv4Network("100.64.0.0/10"): "shared by the customers of a provider",
    IPv4Network("127.0.0.0/8"): "loopback",
    IPv4Network("168.63.129.16/32"): "the platform's own on Azure",
    IPv4Network("169.254.0.0/16"): "link-local",
    IPv4Network("172.16.0.0/12"): "private",
    IPv4Network("192.0.0.0/24"): "reserved",
    IPv4Network("192.0.2.0/24"): "reserved",
    IPv4Network("192.88.99.0/24"): "reserved",
    IPv4Network("192.168.0.0/16"): "private",
    IPv4Network("198.18.0.0/15"): "reserved",
    IPv4Network("198.51.100.0/24"): "reserved",
    IPv4Network("203.0.113.0/24"): "reserved",
    IPv4Network("224.0.0.0/4"): "multicast",
    IPv4Network("240.0.0.0/4"): "reserved",
}
_REFUSED_6: dict[IPv6Network, str] = {
    IPv6Network("::/128"): "unspecified",
    IPv6Network("::1/128"): "loopback",
    IPv6Network("2001::/23"): "reserved",  # Teredo among them
    IPv6Network("2001:db8::/32"): "reserved",
    IPv6Network("3fff::/20"): "reserved",
    IPv6Network("fc00::/7"): "private",
    IPv6Network("fe80::/10"): "link-local",
    IPv6Network("ff00::/8"): "multicast",
}
_AddressInfo = tuple[int, int, int, str, tuple[Any, ...]]
_GLOBAL_6 = IPv6Network("2000::/3")
_TRANSLATED_6 = IPv6Network("64:ff9b::/96")  # NAT64, which ends with an IPv4 address


class RefusedAddressError(OSError):
    """The address that was about to be connected to is none that may be used."""


def refusal(host: str) -> str | None:
    """Say what kind of address `host` is, if it is one that is refused.

    None for a public address, and for a name: its addresses are checked when it is connected to.
    """
    address = _address(host)
    return None if address is None else _refusal(address)


def connector(*, private: bool, resolver: AbstractResolver | None = None) -> TCPConnector:
    """Return a pool of connections. Without `private`, it connects to public addresses only.

    Pools of the two kinds must not be mixed: a connection that one may open, the other may not use.
    """
    return TCPConnector(
        limit=0,  # a hundred calls of dead servers must not keep others waiting
        keepalive_timeout=4.0,  # most servers close after 5 s: before they do, so do we
        use_dns_cache=False,
        resolver=resolver,
        socket_factory=_any_socket if private else _public_socket,
    )


def _public_socket(address: _AddressInfo) -> socket.socket:
    if refusal(str(address[4][0])) is not None:
        raise RefusedAddressError
    return _any_socket(address)


def _any_socket(address: _AddressInfo) -> socket.socket:
    family, kind, protocol, _, _ = address
    return socket.socket(family, kind, protocol)


def _address(host: str) -> IPv4Address | IPv6Address | None:
    """Read an address in any spelling that a resolver of the C library knows."""
    host = host.strip("[]").rstrip(".")
    host, _, _ = host.partition("%")  # the zone of an IPv6 address
    try:
        return ip_address(host)
    except ValueError:
        pass
    try:
        return IPv4Address(socket.inet_aton(host))  # 2130706433, 0x7f.1, 0177.0.0.1, 127.1
    except (OSError, ValueError):
        return None


def _refusal(address: IPv4Address | IPv6Address) -> str | None:
    inner = _embedded(address) if isinstance(address, IPv6Address) else address
    if inner is not None:
        return next((kind for network, kind in _REFUSED_4.items() if inner in network), None)
    refused = next((kind for network, kind in _REFUSED_6.items() if address in network), None)
    return refused or (None if address in _GLOBAL_6 else "reserved")


def _embedded(address: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address to which packets for `address` go in the end."""
    if address in _TRANSLATED_6:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour
