"""HTTP to tenants' own systems, which are anybody's: no address but public ones, no redirect, no cookie, no
proxy of the environment, nothing unpacked, and little read.

The address is looked at where the socket is made, after the name was resolved and for whatever was resolved:
it is the very address that is connected to, so a name that points elsewhere a moment later gains nothing.
"""

import errno
import socket
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from bot.http import Outside
from bot.webhooks_out.names import Names
from services.webhooks import signing
from services.webhooks.addresses import is_reachable
from services.webhooks.deliveries import Outcome, Sendable

_MOST_SECONDS, _CONNECT_SECONDS = 15.0, 5.0  # together less than the lease
_MOST_BYTES = 16 * 1024  # of an answer, so that its connection serves the next one too
_REFUSED = "the address is not one of the public internet"


class AddressRefused(OSError):
    """Nothing is sent there."""

    def __init__(self) -> None:
        super().__init__(errno.EACCES, _REFUSED)


def open_session(*, loopback: bool, resolver: AbstractResolver | None = None) -> aiohttp.ClientSession:
    """`loopback`: this machine may be reached too. `resolver`: instead of the machine's."""

    def socket_to(address: Any) -> socket.socket:
        family, kind, protocol, _, place = address
        if not is_reachable(*place[:2], loopback=loopback):
            raise AddressRefused
        return socket.socket(family, kind, protocol)

    connector = Outside(
        limit=0,  # how many at once is decided by who sends
        socket_factory=socket_to,
        use_dns_cache=False,
        resolver=resolver or Names(),
        keepalive_timeout=15,
    )
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=_MOST_SECONDS, connect=_CONNECT_SECONDS),
        auto_decompress=False,
        trust_env=False,
    )


async def post(http: aiohttp.ClientSession, sent: Sendable, now: datetime) -> Outcome:
    """Only 2xx takes it. Whatever else happens is an outcome too."""
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Lipachat-Webhooks/1",
        **signing.headers(sent.secrets, sent.message_id, int(now.timestamp()), sent.body),
    }
    try:
        url = URL(sent.url, encoded=True)
        async with http.post(url, data=sent.body, headers=headers, allow_redirects=False) as answer:
            outcome = _outcome(answer, now)
            await _let_go(answer)
            return outcome
    except TimeoutError:
        return Outcome(because="timeout")
    except aiohttp.ClientSSLError:
        return Outcome(because="tls")
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return Outcome(because="address_refused" if _REFUSED in str(error) else "no_answer")


def _outcome(answer: aiohttp.ClientResponse, now: datetime) -> Outcome:
    if HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        return Outcome(answer.status)
    asked = _wait(answer.headers.get("Retry-After", ""), now)
    return Outcome(answer.status, f"http_{answer.status}", asked)


def _wait(text: str, now: datetime) -> timedelta | None:
    """Of Retry-After, as seconds or as a time."""
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:9]), 10**6))
    with suppress(ValueError, OverflowError):  # a time that no clock has
        return max(parsedate_to_datetime(text).astimezone(UTC) - now, timedelta(0))
    return None


async def _let_go(answer: aiohttp.ClientResponse) -> None:
    """What it says further is nothing to us; a short answer is read, which leaves its connection usable."""
    if answer.content_length is not None and answer.content_length <= _MOST_BYTES:
        with suppress(aiohttp.ClientError, TimeoutError):
            await answer.read()
    else:
        answer.close()
