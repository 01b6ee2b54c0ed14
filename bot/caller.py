"""Caller: whose address a request came from, where proxies of ours stand before us.

What X-Forwarded-For says is believed as far as trusted proxies have written it: from the right, up to the
first address that is none of theirs. Anybody can write what stands further left.
"""

import ipaddress
from collections.abc import Sequence

from aiohttp import web

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def networks(listed: str) -> list[Network]:
    """Of addresses and networks between commas. Raises ValueError."""
    return [ipaddress.ip_network(each.strip()) for each in listed.split(",") if each.strip()]


def caller(peer: str | None, forwarded: Sequence[str], trusted: Sequence[Network]) -> str | None:
    """`peer` is who is connected, None on a socket file; `forwarded` the values of X-Forwarded-For."""
    address, said = _address(peer or ""), ",".join(forwarded).split(",")
    while address is not None and said and any(address in network for network in trusted):
        before = _address(said.pop().strip())
        if before is None:
            break
        address = before
    return None if address is None else str(address)


def client(request: web.Request, trusted: Sequence[Network]) -> str | None:
    """Whose request it is."""
    return caller(request.remote, request.headers.getall("X-Forwarded-For", ()), trusted)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """Without the port that some proxies write; an IPv4 address in IPv6 clothes is an IPv4 address."""
    host = text.partition("]")[0].removeprefix("[") if "]" in text else text
    if host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
