"""Reach: whether this server can be reached under its own address, as Meta and the providers reach it.

Asked from here, so a yes is certain, and a no may be this machine's: some networks do not lead back in.
"""

import asyncio
import secrets
import ssl
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import aiohttp

from bot.doctor.finding import Finding, broken, good, warning
from bot.doctor.meta import PATH
from bot.settings import Settings

_OK, _FORBIDDEN = 200, 403
_PATIENCE_SECONDS = 5
_SOON = timedelta(days=14)
_RUN = "start it: python main.py serve; or look at the proxy before it"
_RENEW = "renew it: neither Meta nor a provider calls an address whose certificate is not good"


async def reach(
    settings: Settings,
    http: aiohttp.ClientSession,
    clock: Callable[[], datetime],
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[Finding]:
    """`tls`: what is trusted, else what this machine trusts."""
    address = urlsplit(settings.public_url)
    if address.scheme == "https":
        tls = tls or ssl.create_default_context()
        certificate = await _certificate(address.hostname or "", address.port or 443, tls, clock())
        if certificate is not None:
            yield certificate
        if certificate is None or certificate.level == "broken":  # nobody comes any further
            if certificate is None:
                yield warning(f"nothing answers at {settings.public_url}, asked from here", _RUN)
            return
    yield await _handshake(settings, http, tls)


async def _handshake(settings: Settings, http: aiohttp.ClientSession, tls: ssl.SSLContext | None) -> Finding:
    """As Meta does it when the address is entered there."""
    url, challenge = f"{settings.public_url}{PATH}", secrets.token_hex(8)
    query = {
        "hub.mode": "subscribe",
        "hub.challenge": challenge,
        "hub.verify_token": settings.whatsapp.verify_token.get_secret_value(),
    }
    patience = aiohttp.ClientTimeout(total=_PATIENCE_SECONDS)
    try:
        async with http.get(
            url, params=query, timeout=patience, allow_redirects=False, ssl=tls or True
        ) as answer:
            status, told = answer.status, (await answer.content.read(100)).decode("utf-8", "replace")
    except (aiohttp.ClientError, TimeoutError) as error:
        return warning(f"nothing answers at {url}, asked from here ({type(error).__name__})", _RUN)
    if (status, told) == (_OK, challenge):
        return good(f"{url} answers Meta's handshake")
    if status == _FORBIDDEN:
        fix = "restart the server, which has another LIPACHAT_WHATSAPP__VERIFY_TOKEN; or let the path through"
        return broken(f"{url} refuses Meta's handshake", fix)
    what = f"{url} does not answer Meta's handshake (HTTP {status}): something else is there"
    return broken(what, f"let {PATH} and /hooks/ through to this server, as they are")


async def _certificate(host: str, port: int, tls: ssl.SSLContext, now: datetime) -> Finding | None:
    """None where nobody answers."""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            _, writer = await asyncio.open_connection(host, port, ssl=tls, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        return broken(f"the certificate of {host} is not good: {error.verify_message}", _RENEW)
    except ssl.SSLError as error:
        return broken(f"{host} speaks no TLS that is understood ({error.reason})", _RUN)
    except (OSError, TimeoutError):
        return None
    told = writer.get_extra_info("peercert")
    writer.transport.abort()
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(told["notAfter"]), UTC)
    what = f"the certificate of {host} is good until {ends:%Y-%m-%d}"
    return warning(what, _RENEW) if ends - now < _SOON else good(what)
