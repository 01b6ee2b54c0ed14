"""Collect: asking the customer: their phone, by a page, or what they saved. In steps around the network
call that the edge makes.

`begin_collect` commits that we are about to send; the edge sends; `collect_answered` takes the answer.
A crash between the two is found by the job and becomes *unknown*: nothing is ever sent twice.
"""

from datetime import timedelta
from uuid import UUID

from services import breakers, hooks, jobs
from services.jobs import COLLECT_LADDER, PAGE_LADDER, SEND_LADDER
from services.news import Unpaid
from services.payments import pages
from services.payments.details import is_of_phone
from services.payments.record import Attempt, alert, locked, move
from services.payments.settle import expire, settle
from services.payments.start import CHARGED_WITHIN
from services.providers import PROVIDERS
from services.providers.abilities import Charge, Page, Prompt
from services.providers.base import (
    Accepted,
    Answer,
    Failed,
    Misconfigured,
    NotSent,
    Pending,
    Refused,
    Unknown,
    Word,
)
from services.rails import charges, opens_page
from services.work import Work

# Without a reference there is nothing to ask by. A prompt lives for about a minute; after two a second
# one cannot meet the first on the phone.
_BLIND_WAIT = timedelta(minutes=2)
# Whoever asked to pay longer ago has put the phone away: after an outage it rings for nobody.
_SENT_WITHIN = timedelta(minutes=2)
_OPENED_WITHIN = timedelta(minutes=10)  # a link rings nowhere, and who reads it decides
_ASKED_FOR = sum(COLLECT_LADDER, timedelta())


async def begin_collect(work: Work, attempt_id: UUID, public_url: str) -> Prompt | Page | Charge | None:
    """What to send after the commit; None when there is nothing to send any more."""
    attempt = await locked(work, attempt_id)
    if attempt.state == "submitting":  # whoever began before us never came back
        await _lost(work, attempt)
        return None
    if attempt.state != "created":
        await jobs.finish(work, attempt_id, "collect")
        return None
    if attempt.payment_status != "pending":  # paid or left in the meantime
        await expire(work, attempt_id)
        return None
    prompted = is_of_phone(attempt.details)
    by_page = opens_page(attempt.provider) and not (prompted or _is_charged(attempt))
    if work.now - attempt.created_at > (_OPENED_WITHIN if by_page else _SENT_WITHIN):
        await expire(work, attempt_id, Unpaid.NOT_ASKED)
        return None
    operation = "page" if by_page else "charge" if _is_charged(attempt) else "prompt"
    if await breakers.open_until(work, attempt.provider, operation) is not None:
        # A prompt that comes minutes later rings for nobody; who is told now can pay in another way.
        await settle(work, attempt_id, Failed(Unpaid.RESTING, "not sent: its breaker is open"))
        return None
    until = work.now + pages.OPEN_FOR if by_page else None
    await move(work, attempt, "created", state="submitting", page_until=until)
    if opens_page(attempt.provider) and not prompted:
        page = await pages.page_of(work, attempt, public_url)
        if by_page:
            return page
        return Charge(attempt.provider, attempt.id, attempt.amount, attempt.details, page)
    return Prompt(
        provider=attempt.provider,
        attempt_id=attempt.id,
        amount=attempt.amount,
        phone=attempt.details["phone_number"],
        reference=attempt.number,
        callback_url=await hooks.address(work, public_url, "collect", attempt.id),
        email=pages.email_of(attempt.person_id, public_url),
    )


async def collect_answered(work: Work, attempt_id: UUID, answer: Answer) -> None:
    """Take the answer to what `begin_collect` gave out."""
    attempt = await locked(work, attempt_id)
    match answer:
        case Accepted():
            await _accepted(work, attempt, answer)
        case Refused():
            await settle(work, attempt_id, Failed(answer.because, answer.detail))
        case Misconfigured():
            await settle(work, attempt_id, Failed(Unpaid.SHOP, answer.detail, ours=True))
        case NotSent():
            await _send_again(work, attempt, answer)
        case Unknown():
            await _lost(work, attempt)


async def begin_check(work: Work, attempt_id: UUID) -> tuple[str, str] | None:
    """The provider, and the reference to ask it by; None when there is nothing to ask any more."""
    attempt = await locked(work, attempt_id)
    if attempt.reference is None or attempt.state == "succeeded":
        await jobs.finish(work, attempt_id, "collect_check")
        return None
    if (until := await breakers.open_until(work, attempt.provider, "check")) is not None:
        await settle(work, attempt_id, Pending("not asked: its breaker is open"))
        await jobs.schedule(work, "collect_check", attempt_id, until)
        return None
    return attempt.provider, attempt.reference


async def collect_checked(work: Work, attempt_id: UUID, word: Word) -> None:
    """Take the answer to the query; while it is open, ask again later, and give up in the end. What the
    person asks in between hastens no end."""
    attempt = await locked(work, attempt_id)
    if await settle(work, attempt_id, word):
        await jobs.finish(work, attempt_id, "collect_check")
    elif attempt.page is not None:
        await _page_checked(work, attempt)
    elif attempt.page_until is not None and attempt.state == "pending":  # and closed
        await expire(work, attempt_id, Unpaid.PAGE)
    elif attempt.asked and work.now - attempt.created_at < _ASKED_FOR:
        await jobs.keep(work, "collect_check", attempt_id, COLLECT_LADDER)
    elif not await jobs.again(work, "collect_check", attempt_id, COLLECT_LADDER):
        await expire(work, attempt_id)


async def _page_checked(work: Work, attempt: Attempt) -> None:
    """While it can be paid there, it is asked about again; its end asks for the last time."""
    if attempt.asked:
        await jobs.keep(work, "collect_check", attempt.id, PAGE_LADDER)
    elif not await jobs.again(work, "collect_check", attempt.id, PAGE_LADDER):
        await jobs.finish(work, attempt.id, "collect_check")


def _is_charged(attempt: Attempt) -> bool:
    return attempt.method_id is not None and charges(attempt.provider)


async def _accepted(work: Work, attempt: Attempt, answer: Accepted) -> None:
    """The callback may have been quicker, and then the reference is known."""
    theirs = (answer.reference, answer.second_reference)
    if attempt.reference is not None and attempt.reference not in theirs:
        await alert(work, attempt, "payment.reference_mismatch", told="accepted")
    sealed = work.seal(answer.reference, "attempts.reference", attempt.id)
    await move(work, attempt, attempt.state, reference_sealed=sealed)
    await move(work, attempt, "submitting", "unknown", state="pending")
    await jobs.finish(work, attempt.id, "collect", "collect_expire")
    if answer.page is not None:
        await pages.opened(work, attempt, answer.page)
    if attempt.live or attempt.state == "expired":
        ladder = COLLECT_LADDER if answer.page is None else PAGE_LADDER
        await jobs.again(work, "collect_check", attempt.id, ladder)
    if answer.told is not None and await settle(work, attempt.id, answer.told.word):
        await jobs.finish(work, attempt.id, "collect_check")


async def _send_again(work: Work, attempt: Attempt, answer: NotSent) -> None:
    if not await move(work, attempt, "submitting", "unknown", state="created", detail=answer.detail):
        return
    if not await jobs.again(work, "collect", attempt.id, SEND_LADDER):
        await settle(work, attempt.id, Failed(Unpaid.PROVIDER, answer.detail))


async def _lost(work: Work, attempt: Attempt) -> None:
    """Only a callback can tell now, unless one has told a reference to ask by already. A second prompt is
    held back for as long as the first may ring. A page whose address nobody was given is paid by nobody."""
    await jobs.finish(work, attempt.id, "collect")
    if attempt.page_until is not None and attempt.state == "submitting":
        await settle(work, attempt.id, Failed(Unpaid.PROVIDER, "the page's address is not known"))
        return
    if not await move(work, attempt, "submitting", state="unknown"):
        return
    if attempt.reference is None and PROVIDERS[attempt.provider].knows_ours:
        sealed = work.seal(str(attempt.id), "attempts.reference", attempt.id)
        await move(work, attempt, "unknown", reference_sealed=sealed)
        await jobs.again(work, "collect_check", attempt.id, COLLECT_LADDER)
    elif attempt.reference is not None:
        await jobs.again(work, "collect_check", attempt.id, COLLECT_LADDER)
    else:
        blind = CHARGED_WITHIN if _is_charged(attempt) else _BLIND_WAIT
        await jobs.schedule(work, "collect_expire", attempt.id, work.now + blind)
