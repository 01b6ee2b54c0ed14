"""What is told to the staff and done among them, and what becomes of people."""

from datetime import timedelta

from services.money import Money
from services.news import (
    IdentityVerified,
)
from services.news.approval import CodesEnrolled, CodesGuessed, RightLent, RightUsed
from services.news.conditions import KeyExpiring, ProviderDown, StillPending
from services.news.handoff import Ended
from services.news.reconciliation import BreakReopened, BreaksAged
from services.news.settings import KeyRotated
from services.news.webhooks import EndpointDropped, EndpointSet
from tests.fakes.breaks import a_break
from tests.flows.words import event


@event
def change(business, state, *because):
    """The latest one takes effect, or does not."""
    business.end_change(state, because[0] if because else None)


@event
def change_rejected(business, *facts):
    match facts:
        case ("unheard",):  # by another; the news is still on its way
            last = next(reversed(business.changes.values()))
            business.changes[last.id] = last.model_copy(update={"state": "rejected"})
        case _:
            raise ValueError(facts)


@event
def lending_ended(business, *facts):
    match facts:
        case ("unheard",):
            lending = next(reversed(business.lendings.values()))
            business.lendings[lending.id] = lending.model_copy(update={"state": "rejected"})
        case _:
            raise ValueError(facts)


@event
def break_(business, type_, shillings, label, receipt, hours):
    one = a_break(type_, shillings, label, receipt, business.now - timedelta(hours=int(hours)))
    business.breaks[one.id] = one


@event
def own_break(business, *others):
    """Who is talking has approved what it is about."""
    business.who_may_close = tuple(others)


@event
def explained(business):
    for one in business.breaks.values():
        business.breaks[one.id] = one.model_copy(update={"state": "explained"})


@event
def break_reopened(business, shillings, *by):
    had = {"by": by[0].strip("-") if by else None, "reason": "A sale at the counter"}
    amount = Money.parse(shillings, "KES")
    business.tell_reconcilers(BreakReopened, provider="mpesa", amount=amount, **had)


@event
def breaks_aged(business, count, shillings):
    aged = {"count": int(count), "total": Money.parse(shillings, "KES"), "oldest": business.now}
    business.tell_reconcilers(BreaksAged, provider="mpesa", **aged)


@event
def pending_long(business, what, count):
    business.tell_reconcilers(StillPending, what=what, count=int(count))


@event
def provider_down(business, provider):
    business.tell_reconcilers(ProviderDown, provider=provider)


@event
def key_expiring(business, prefix):
    at = business.now + timedelta(days=14)
    business.tell_reconcilers(KeyExpiring, prefix=prefix, at=at)


@event
def handoff(business, *facts):
    match facts:
        case ("unheard",):  # the news is still on its way
            list(business.handed.values())[-1].state = "done"
        case (because,):
            business.end_handoff(Ended(because))
        case _:
            raise ValueError(facts)


@event
def taken(business, name):
    """By another, at this very moment."""
    list(business.handed.values())[-1].by = business.people[name]


@event
def verified(business, name):
    business.told.append((business.people[name].person_id, IdentityVerified()))


@event
def enrolled(business, name, *again):
    news = CodesEnrolled(name=name, again=bool(again))
    business.told += [(owner, news) for owner in business.owners()]


@event
def rotated(business, name):
    until = business.now + timedelta(days=1)
    key = KeyRotated(name=name, prefix="lipa_0123456789ab", until=until)
    business.told += [(owner, key) for owner in business.owners()]


@event
def lent(business, lender, borrower):
    until = business.now + timedelta(days=3)
    lent = RightLent(lender=lender, borrower=borrower, until=until)
    business.told += [(owner, lent) for owner in business.owners()]


@event
def used(business, lender, borrower):
    used = RightUsed(borrower=borrower, reference="4F2A9C")
    business.told.append((business.people[lender].person_id, used))


@event
def guessed(business, name):
    guessed = CodesGuessed(name=name, reference="4F2A9C")
    business.told += [(owner, guessed) for owner in business.owners()]


@event
def webhooks(business, host, because):
    dropped = EndpointDropped(host=host, because=because)
    business.told += [(owner, dropped) for owner in business.owners()]


@event
def webhooks_to(business, host, name):
    there = EndpointSet(host=host, name=name)
    business.told += [(owner, there) for owner in business.owners()]


@event
def settings(business, *changed):
    business.change(changed)
