"""The command that compares the books with a provider's statement, and the table that it prints."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from bot.commands.opening import known_tenant, opened, work_of
from bot.http import open_session
from bot.parts import CannotRun, Parts
from bot.providers import Providers
from bot.reconciling import DAYS, Reconciling, Report
from bot.settings import Settings
from services.errors import Refusal
from services.errors.reconciliation import InvalidStatement, NoStatements
from services.reconciliation import ages, closing
from services.reconciliation.ages import Standing
from services.reconciliation.reach import Span
from services.reconciliation.run import Sum
from services.reconciliation.seen import Seen
from services.store.schema import tenants
from services.store.scope import PLATFORM

_SHOWN = 20


@dataclass(frozen=True)
class Asked:
    """As it was typed. Days are the tenant's, both of them whole."""

    slug: str
    provider: str | None = None
    file: Path | None = None
    since: str | None = None
    until: str | None = None


@dataclass(frozen=True)
class Outcome:
    reports: list[Report]
    standing: list[Standing]
    now: datetime

    @property
    def fits(self) -> bool:
        return not any(report.opened or report.trouble for report in self.reports)


async def reconcile(settings: Settings, asked: Asked) -> Outcome:
    """Raises CannotRun."""
    async with opened(settings) as parts, open_session() as http:
        async with parts.database.reading(PLATFORM) as connection:
            tenant = await known_tenant(connection, asked.slug)
            zone = await connection.scalar(sa.select(tenants.c.timezone).where(tenants.c.id == tenant))
        urls = settings.provider_urls
        providers = Providers(parts.database, parts.vault, parts.tenants, http, urls, parts.clock)
        edge = Reconciling(parts.database, parts.vault, providers, parts.bell, parts.clock)
        names = [asked.provider] if asked.provider else await providers.names(tenant)
        if not set(names) <= set(await providers.names(tenant)):
            raise CannotRun(f"{asked.slug} has no [providers.{asked.provider}] in its file.")
        if asked.file is not None:
            reports = [await _of_file(edge, tenant, asked, names)]
        else:
            span = _span(asked, ZoneInfo(str(zone)), parts.clock())
            reports = [await edge.reconcile(tenant, name, span) for name in names]
        return Outcome(reports, await _standing(parts, tenant), parts.clock())


async def close(settings: Settings, slug: str, break_id: str, reason: str) -> dict[str, Any]:
    """Where nobody else of the business may. Raises CannotRun."""
    try:
        wanted = UUID(break_id)
    except ValueError:
        raise CannotRun(f"{break_id} is no id of a break.") from None
    try:
        async with opened(settings) as parts, work_of(parts, slug) as work:
            seen = await closing.close_as_operator(work, wanted, reason)
    except Refusal as refused:
        raise CannotRun(f"Break {break_id} cannot be closed: {refused.code}.") from None
    return {"id": str(seen.id), "state": seen.state, "amount": str(seen.amount), "reason": seen.reason}


async def _of_file(edge: Reconciling, tenant: UUID, asked: Asked, names: list[str]) -> Report:
    """Without a provider it is M-Pesa's: nobody else's is read from a file."""
    if asked.file is None or (asked.since or asked.until):
        raise CannotRun("A file tells its own period: leave out --from and --to.")
    provider = asked.provider or ("mpesa" if "mpesa" in names else names[0])
    try:
        span, new = await edge.read_file(tenant, provider, asked.file.read_bytes())
    except InvalidStatement as wrong:
        listed = "\n".join(f"  {fault}" for fault in wrong.faults)
        raise CannotRun(f"{asked.file}: nothing was read, for\n{listed}") from None
    except NoStatements:
        raise CannotRun(f"{provider} has no statements that are read from files.") from None
    return await edge.reconcile(tenant, provider, span, new=new, ask=False)


def _span(asked: Asked, zone: ZoneInfo, now: datetime) -> Span:
    since = _day(asked.since, zone) if asked.since else now - DAYS
    until = _day(asked.until, zone) + timedelta(days=1) if asked.until else now
    if since >= min(until, now):
        raise CannotRun("--from is not before --to, or has not come yet.")
    return Span(since, min(until, now))


def _day(text: str, zone: ZoneInfo) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(text), time(), zone).astimezone(UTC)
    except ValueError:
        raise CannotRun(f"{text} is no day such as 2026-11-24.") from None


async def _standing(parts: Parts, tenant: UUID) -> list[Standing]:
    async with parts.database.snapshot(tenant) as connection:
        return await ages.standing(connection, tenant)


# --- as a table


def lines(outcome: Outcome) -> Iterator[str]:
    for report in outcome.reports:
        yield from _report(report, outcome.now)
        yield ""
    yield (
        "What stands in the clearing accounts:"
        if outcome.standing
        else "Nothing stands in a clearing account."
    )
    for each in outcome.standing:
        covered = f", statements up to {_moment(each.until)}" if each.until else ""
        age = "nothing unresolved" if each.since is None else f"oldest {_age(outcome.now - each.since)}"
        old = " (too old)" if each.too_old(outcome.now) else ""
        yield f"  {each.account:20} {each.stands.currency} {each.stands!s:>14}  {age}{old}{covered}"


def _report(report: Report, now: datetime) -> Iterator[str]:
    yield f"{report.provider}: {_moment(report.span.since)} to {_moment(report.span.until)}"
    if report.trouble:
        yield f"  It could not be asked for all of that: {report.trouble}"
    for what, sums in (
        (f"told ({report.new_lines} new)", report.found.lines),
        ("booked", report.found.booked),
    ):
        for each in sums:
            yield f"  {what:18} {each.kind:10} {each.count:6} {each.currency} {each.total!s:>14}"
    if not report.opened:
        yield "  Everything fits: no break is open."
        return
    yield f"  {'open':22} {'count':>6} {'sum':>18}  oldest"
    for (type_, currency), found in _by_type(report.opened).items():
        total, oldest = sum(one.amount.decimal for one in found), max(one.age(now) for one in found)
        yield f"  {type_:22} {len(found):6} {currency} {total:>14}  {_age(oldest)}"
    for one in report.opened[:_SHOWN]:
        named = " ".join(filter(None, (one.label, one.receipt, one.party)))
        sides = f"ours {_sum(one, 'ours')}, theirs {_sum(one, 'theirs')}"
        yield f"    {one.id}  {one.type:20} {one.kind:8} {sides}  {_age(one.age(now))}  {named}"
    if len(report.opened) > _SHOWN:
        yield f"    and {len(report.opened) - _SHOWN} more"


def _by_type(opened: tuple[Seen, ...]) -> dict[tuple[str, str], list[Seen]]:
    found: dict[tuple[str, str], list[Seen]] = {}
    for each in opened:
        found.setdefault((each.type.value, each.amount.currency), []).append(each)
    return dict(sorted(found.items()))


def _sum(each: Seen, side: str) -> str:
    amount = getattr(each, side)
    return "nothing" if amount is None else f"{amount.currency} {amount}"


def _age(age: timedelta) -> str:
    hours = int(age.total_seconds() // 3600)
    return f"{hours} h" if hours < 48 else f"{hours // 24} days"  # noqa: PLR2004  two days


def _moment(at: datetime | None) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC") if at else "never"


# --- as JSON


def told(outcome: Outcome) -> dict[str, Any]:
    """For programs."""
    return {
        "ok": outcome.fits,
        "providers": [
            {
                "provider": report.provider,
                "from": report.span.since.isoformat(),
                "to": report.span.until.isoformat(),
                "trouble": report.trouble,
                "new_lines": report.new_lines,
                "told": [_summed(each) for each in report.found.lines],
                "booked": [_summed(each) for each in report.found.booked],
                "open": [
                    each.model_dump(mode="json", exclude={"ours", "theirs"})
                    | {side: _sum(each, side) for side in ("ours", "theirs")}
                    | {"age_seconds": int(each.age(outcome.now).total_seconds())}
                    for each in report.opened
                ],
            }
            for report in outcome.reports
        ],
        "clearing": [
            {
                "account": each.account,
                "stands": str(each.stands),
                "currency": each.stands.currency,
                "since": each.since and each.since.isoformat(),
                "covered_until": each.until and each.until.isoformat(),
                "too_old": each.too_old(outcome.now),
            }
            for each in outcome.standing
        ],
    }


def _summed(each: Sum) -> dict[str, Any]:
    return {
        "kind": each.kind,
        "count": each.count,
        "total": str(each.total),
        "currency": each.currency,
    }
