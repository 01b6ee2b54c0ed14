"""Addresses: to where webhooks may be posted.

What a tenant enters is reached from inside our network, so it may name nothing there: an endpoint is a
server of the public internet, by https on its usual port. Its address is looked at whenever a connection is
opened to it (`bot/webhooks_out/http.py`), since a name may point elsewhere by then. On the machine itself,
for the sandbox and tests, only where that is set.
"""

import ipaddress
import re
from urllib.parse import urlsplit

from services.errors.webhooks import InvalidEndpoint

PORTS = (443, 8443)
MOST_SIGNS = 500
# IANA's registries of special purposes, written out since `is_global` says another thing in each version of
# Python; and what a cloud answers its own machines on.
_REFUSED_4 = tuple(
    ipaddress.IPv4Network(network)
    for network in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",  # shared by carriers
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure
        "169.254.0.0/16",  # link-local, and where most clouds tell machines their secrets
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
# Without mapped and compatible addresses, NAT64, unique local, link-local and multicast ones.
_UNICAST_6 = ipaddress.IPv6Network("2000::/3")
_REFUSED_6 = tuple(
    ipaddress.IPv6Network(network)
    for network in (
        "2001::/23",  # Teredo and others that stand for something else
        "2001:db8::/32",
        "2002::/16",  # 6to4
        "3fff::/20",
    )
)
_NAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))+")
_HERE = ("localhost", "127.0.0.1", "::1")


def is_reachable(address: str, port: int, *, loopback: bool = False) -> bool:
    """Whether a connection may be opened to it. `loopback`: also on this machine, by any port."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:  # with a zone, for one: no public one has any
        return False
    if ip.is_loopback:
        return loopback
    if port not in PORTS:
        return False
    if isinstance(ip, ipaddress.IPv4Address):
        return not any(ip in network for network in _REFUSED_4)
    return ip in _UNICAST_6 and not any(ip in network for network in _REFUSED_6)


def checked(url: str, *, loopback: bool) -> str:
    """As it was given. Raises InvalidEndpoint."""
    if len(url) > MOST_SIGNS or not url.isascii() or not url.isprintable() or set(url) & set(' \\"<>^`{|}'):
        raise InvalidEndpoint("is no address of at most 500 plain signs")
    try:
        parts, port = urlsplit(url), urlsplit(url).port
    except ValueError:
        raise InvalidEndpoint("cannot be read") from None
    host = parts.hostname or ""
    if loopback and host in _HERE and parts.scheme in ("http", "https"):
        return url
    if parts.scheme != "https":
        raise InvalidEndpoint("must begin with https://")
    if "@" in parts.netloc or "#" in url:
        raise InvalidEndpoint("must hold no user, no password and no fragment")
    if port not in (None, *PORTS):
        raise InvalidEndpoint(f"must be on port {' or '.join(map(str, PORTS))}")
    _refuse_host(host)
    return url


def _refuse_host(host: str) -> None:
    """A name with a dot, or a public address. Raises InvalidEndpoint."""
    if _is_ip(host):
        if not is_reachable(host, PORTS[0]):
            raise InvalidEndpoint("must be in the public internet")
    elif not _NAME.fullmatch(host) or host.rpartition(".")[2].isdigit():
        raise InvalidEndpoint("must name a server of the public internet")


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
