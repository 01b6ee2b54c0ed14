"""Pages: paying on a provider's hosted page. It takes one payment of one amount, until its time is over; its
address is kept sealed for as long, so that the same link can be shown again."""

import re
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit
from uuid import UUID

import sqlalchemy as sa

from services import hooks, jobs
from services.news import PageOpened
from services.payments.record import LIVE, Attempt, locked, move, tell, under_way
from services.points import point
from services.providers.abilities import Page
from services.store import schema
from services.store.schema import attempts
from services.work import Work

OPEN_FOR = timedelta(minutes=30)
_NAMED, _NOWHERE = re.compile(r"\.[a-z]+\Z"), "customers.example"


@dataclass(frozen=True)
class Closing:
    """A page that is to be paid no more."""

    provider: str
    reference: str = field(repr=False)


async def page_of(work: Work, attempt: Attempt, public_url: str) -> Page:
    """What to open for the attempt."""
    returning = await hooks.mint(work, hooks.RETURN, attempt.id)
    return Page(
        provider=attempt.provider,
        attempt_id=attempt.id,
        amount=attempt.amount,
        number=attempt.number,
        about=f"Order {attempt.number}",
        ends_at=work.now + OPEN_FOR,
        return_url=f"{public_url.rstrip('/')}/paid/{returning}",
        callback_url=await hooks.address(work, public_url, "collect", attempt.id),
        ipn_url=await hooks.lasting(work, public_url, attempt.provider),
        email=email_of(attempt.person_id, public_url),
    )


async def opened(work: Work, attempt: Attempt, address: str) -> None:
    """Send the customer there. Who has left in the meantime is not."""
    until = attempt.page_until or work.now + OPEN_FOR
    sealed = work.seal(address, "attempts.page", attempt.id)
    if not await move(work, attempt, *LIVE, page_sealed=sealed, page_until=until):
        return
    point("page.opened")
    if attempt.payment_status != "pending":
        await jobs.schedule(work, "page_close", attempt.id, work.now)
        return
    await jobs.schedule(work, "page_close", attempt.id, until)
    attempt = await locked(work, attempt.id)
    if (news := _news(attempt)) is not None:
        await tell(work, attempt, news)


async def shown(work: Work, person_id: UUID, order_id: UUID) -> PageOpened | None:
    """The page on which the order can be paid now; None where there is none."""
    for each in await under_way(work, order_id):
        attempt = await locked(work, each.id)
        news = _news(attempt) if attempt.person_id == person_id and attempt.live else None
        if news is not None and attempt.payment_status == "pending" and news.until > work.now:
            return news
    return None


async def begin_close(work: Work, attempt_id: UUID) -> Closing | None:
    """None where there is nothing to close any more."""
    attempt = await locked(work, attempt_id)
    if attempt.page is None or attempt.reference is None or attempt.state == "succeeded":
        await jobs.finish(work, attempt_id, "page_close")
        return None
    return Closing(attempt.provider, attempt.reference)


async def closed(work: Work, attempt_id: UUID) -> None:
    """The provider is asked once more, for what was paid just before; then it is over."""
    attempt = await locked(work, attempt_id)
    await move(work, attempt, attempt.state, page_sealed=None)
    await jobs.finish(work, attempt_id, "page_close")
    if attempt.state != "succeeded":
        await jobs.schedule(work, "collect_check", attempt_id, work.now)
    point("page.closed")


async def returned(work: Work, attempt_id: UUID) -> None:
    """The customer is back from the page, paid or not: the provider is asked now, unless it is just then."""
    attempt = await locked(work, attempt_id)
    if attempt.reference is None or not attempt.live:
        return
    check = schema.jobs.c
    asking = sa.select(check.target_id).where(
        check.tenant_id == work.tenant,
        check.target_id == attempt_id,
        check.kind == "collect_check",
        check.leased_until > work.now,
    )
    if (await work.connection.execute(asking)).first() is None:
        await jobs.schedule(work, "collect_check", attempt_id, work.now)
        point("page.returned")


async def address_of(work: Work, attempt_id: UUID) -> tuple[str, str | None]:
    """Where the attempt stands, and its page while it can be paid there. Raises NotFound."""
    attempt = await locked(work, attempt_id)
    is_open = attempt.live and attempt.page_until is not None and attempt.page_until > work.now
    return attempt.state, attempt.page if is_open else None


async def latest_attempt(work: Work, payment_id: UUID) -> UUID | None:
    """Of the payment."""
    query = (
        sa.select(attempts.c.id)
        .where(attempts.c.tenant_id == work.tenant, attempts.c.payment_id == payment_id)
        .order_by(attempts.c.created_at.desc(), attempts.c.id.desc())
        .limit(1)
    )
    return await work.connection.scalar(query)


def email_of(person_id: UUID, public_url: str) -> str:
    """Providers want one, the same for a person each time, and the shop knows none."""
    host = urlsplit(public_url).hostname or ""
    return f"{person_id.hex}@{host if _NAMED.search(host) else _NOWHERE}"


def _news(attempt: Attempt) -> PageOpened | None:
    if attempt.page is None or attempt.page_until is None:
        return None
    return PageOpened(
        payment_id=attempt.payment_id,
        order_id=attempt.order_id,
        number=attempt.number,
        amount=attempt.amount,
        method=attempt.method,
        url=attempt.page,
        until=attempt.page_until,
    )
