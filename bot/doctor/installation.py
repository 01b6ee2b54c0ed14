"""Doctor: looks at everything and changes nothing. Each finding says what is so, and its fix."""

import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import quote, urlsplit

import aiohttp
from sqlalchemy.engine import make_url

from bot.away import AWAY, reason
from bot.doctor.anchored import anchored
from bot.doctor.finding import Finding, broken, exit_code, good, warning
from bot.doctor.proofs import proofs
from bot.doctor.queues import queues
from bot.doctor.rates import rates
from bot.doctor.reach import reach
from bot.doctor.tenants import all_tenants
from bot.forms import PATH as FORMS
from bot.http import open_session
from bot.parts import Parts, parts_of, utc_now
from bot.settings import Settings, SettingsError
from services.safety.vault import Unopenable
from services.store import upgrade

__all__ = ["Finding", "examine", "exit_code", "unsettled"]

Reach = Callable[[Settings, aiohttp.ClientSession, Callable[[], datetime]], AsyncIterator[Finding]]
_UPGRADE = "run: python main.py db upgrade"
# What Daraja refuses in an address that it is to call: https://developer.safaricom.co.ke/faqs
_REFUSED_WORDS = ("m-pesa", "mpesa", "safaricom", "exe", "exec", "cmd", "sql", "query")
_OWN_NAMES = ("localhost", ".localhost", ".local", ".internal", ".lan", ".test", ".example", ".invalid")
_MOST_SLIP = timedelta(seconds=60)
_SQLITE = b"SQLite format 3\0"
_KEEPS_A_LOG = 2  # in its header, behind the size of a page: https://sqlite.org/fileformat2.html


def unsettled(error: SettingsError) -> list[Finding]:
    """What can be said where not even the settings are there."""
    return [Finding("broken", what, fix) for what, fix in error.problems]


async def examine(
    settings: Settings, clock: Callable[[], datetime] = utc_now, reach: Reach = reach
) -> list[Finding]:
    """Every finding, in the order of looking. `reach` looks whether the server is reached from outside."""
    findings = [*address(settings.public_url), *_within(settings)]
    lost = _no_sqlite(settings.database_url)
    if lost is not None:  # to open one that is not there would make it
        return [*findings, lost]
    parts = parts_of(settings, clock)
    try:
        async with open_session() as http:
            findings += [finding async for finding in _installation(parts, http, reach)]
    except AWAY as error:
        findings.append(broken(f"the database refuses to be read: {reason(error)}", "correct its rights"))
    except Unopenable:
        fix = "add the key that it was sealed under to LIPACHAT_SECRET_KEYS, behind the first"
        findings.append(broken("the secret keys do not open what is stored", fix))
    finally:
        await parts.bell.close()
        await parts.database.close()
    return findings


async def _installation(parts: Parts, http: aiohttp.ClientSession, reach: Reach) -> AsyncIterator[Finding]:
    schema = await _schema(parts)
    yield schema
    if parts.settings.redis_url is not None:
        yield await redis(parts.settings.redis_url)
    async for finding in _graph(parts, http):
        yield finding
    async for finding in reach(parts.settings, http, parts.clock):
        yield finding
    yield _forms(parts.settings)
    if schema.level == "broken":
        return
    async for finding in queues(parts):
        yield finding
    async for finding in rates(parts):
        yield finding
    async for finding in proofs(parts):
        yield finding
    async for finding in anchored(parts):
        yield finding
    async for finding in all_tenants(parts, http):
        yield finding


def address(url: str) -> Iterator[Finding]:
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    fix = "set LIPACHAT_PUBLIC_URL to the https address that reaches this server from outside"
    if parts.scheme != "https" or not _is_public(host):
        yield warning(f"PUBLIC_URL is {url}, which no provider can call", fix)
    words = [word for word in _REFUSED_WORDS if word in f"{host}{parts.path.lower()}"]
    if words:
        what = f"PUBLIC_URL holds {words[0]!r}, and M-Pesa refuses addresses with that word"
        yield warning(what, "give the server a name without it")


def _within(settings: Settings) -> Iterator[Finding]:
    if settings.webhooks.allow_loopback:
        what = "shops may have webhooks posted to programs on this machine"
        yield warning(what, "unset LIPACHAT_WEBHOOKS__ALLOW_LOOPBACK, unless this is a rehearsal")


def _is_public(host: str) -> bool:
    try:
        return ip_address(host).is_global
    except ValueError:
        return "." in host and not host.endswith(_OWN_NAMES)


def _no_sqlite(url: str) -> Finding | None:
    """What is wrong with the file; None where it is a database of ours, or none of SQLite's."""
    where = make_url(url)
    if where.get_backend_name() != "sqlite" or not where.database or where.database == ":memory:":
        return None
    path = Path(where.database)
    correct = "correct LIPACHAT_DATABASE_URL"
    if not path.exists():
        return broken(f"there is no database at {path} yet", f"{_UPGRADE}; or {correct}")
    try:
        with path.open("rb") as file:
            head = file.read(len(_SQLITE) + 3)
    except OSError as error:
        return broken(f"{path} cannot be read: {error.strerror}", correct)
    if head and not head.startswith(_SQLITE):
        return broken(f"{path} is not a database", correct)
    # One that we have written keeps a log beside it, and is asked in the usual way.
    ours = bool(head) and head[-1] == _KEEPS_A_LOG
    return (
        None if ours or (head and _has_tables(path)) else broken(f"the database at {path} is empty", _UPGRADE)
    )


def _has_tables(path: Path) -> bool:
    connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)
    try:
        return bool(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
    finally:
        connection.close()


async def _schema(parts: Parts) -> Finding:
    where = parts.database.url.render_as_string(hide_password=True)
    try:
        current = await upgrade.current(parts.database)
    except Exception as error:  # noqa: BLE001  whatever the driver raises is the finding
        what = f"the database at {where} does not answer: {reason(error)}"
        return broken(what, "start it, or correct LIPACHAT_DATABASE_URL")
    if current == upgrade.head():
        if unsafe := await upgrade.unsafe(parts.database):
            what = f"the database does not keep tenants apart as it should ({len(unsafe)} to do: {unsafe[0]})"
            return broken(what, _UPGRADE)
        return good("the database answers and its schema is current")
    if current is None:
        return broken(f"the database at {where} is empty", _UPGRADE)
    if upgrade.is_newer(current):
        what = f"the database has a schema that this release does not know ({current})"
        return warning(
            what, "run the newer release that made it: this one is good beside it for a while only"
        )
    return broken("the database has an older schema", _UPGRADE)


async def redis(url: str) -> Finding:
    from redis.asyncio import Redis
    from redis.exceptions import RedisError

    client = Redis.from_url(url, socket_connect_timeout=2, socket_timeout=2)
    try:
        await client.execute_command("PING")  # type: ignore[no-untyped-call]
    except (RedisError, OSError) as error:
        return warning(
            f"Redis does not answer ({type(error).__name__}); workers poll, which is slower",
            "start it, or correct LIPACHAT_REDIS_URL",
        )
    finally:
        await client.aclose()
    return good("Redis answers")


async def _graph(parts: Parts, http: aiohttp.ClientSession) -> AsyncIterator[Finding]:
    """Whatever it answers has its time; signatures, tokens and prompts are judged by ours."""
    url = parts.settings.whatsapp.graph_url
    asked = parts.clock()
    try:
        async with http.get(url, allow_redirects=False) as answer:
            told = answer.headers.get("Date")
    except (aiohttp.ClientError, TimeoutError) as error:
        what = f"the Graph API at {url} does not answer ({type(error).__name__})"
        yield warning(what, "check the network, and LIPACHAT_WHATSAPP__GRAPH_URL")
        return
    theirs = _moment(told)
    if theirs is None:
        return
    slip = asked + (parts.clock() - asked) / 2 - theirs
    if abs(slip) <= _MOST_SLIP:
        yield good("the clock of this machine agrees with the Graph API's")
        return
    side = "ahead of" if slip > timedelta() else "behind"
    what = f"the clock of this machine is {abs(slip).total_seconds():.0f} s {side} the Graph API's"
    yield warning(what, "set it by NTP: M-Pesa and one-time codes go by the time")


def _forms(settings: Settings) -> Finding:
    if settings.whatsapp.forms is None:
        return good("forms are off (LIPACHAT_WHATSAPP__FORMS_KEY is not set): all is asked in the chat")
    return good(f"forms can be opened, at {settings.public_url}{FORMS}")


def _moment(date: str | None) -> datetime | None:
    try:
        moment = parsedate_to_datetime(date or "")
    except ValueError:
        return None
    return moment if moment.tzinfo else None
