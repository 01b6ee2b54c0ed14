"""Events: what Stripe tells by itself, in any order and more than once.

https://docs.stripe.com/api/events/types. What we have made carries the id of its attempt as metadata. A page
is told of by its session alone: its payment may be declined many times before it is paid. That it is paid is
asked about, since only the answer has the card, to save it. A dispute takes money only once it is lost; a
refund that nobody here asked for was made at Stripe itself.
"""

from services.news import Unpaid
from services.providers.base import Failed, Pending, Report, Succeeded, Unreadable, Word
from services.providers.bodies import Json, code_of, id_of, ids_of, json_object, legible, within
from services.providers.stripe_words import intent_word, money_of, refund_word, session_word

ATTEMPT, BY = "attempt", "by"  # in the metadata of what we make
PAGE, CARD, REFUND = "page", "card", "refund"


def event_id(body: bytes) -> str | None:
    """What the event calls itself: its bytes are not the same whenever it is told."""
    return id_of((json_object(body) or {}).get("id"))


def read_event(body: bytes, *, live: bool) -> Report:
    """`live`: whether our key moves real money; an event of the other side is none of ours. Raises
    Unreadable."""
    event = json_object(body)
    if event is None or event.get("object") != "event" or not isinstance(event.get("type"), str):
        raise Unreadable("not an event")
    told, kind = within(event, "data", "object"), event["type"]
    if event.get("livemode") is not live:
        return _other("an event of the other side, test or live")
    match kind.split("."):
        case "checkout", "session", what:
            return _session(what, told)
        case "payment_intent", "succeeded" | "payment_failed":
            return _intent(told)
        case ("refund", "created" | "updated" | "failed") | ("charge", "refund", "updated"):
            return _refund(told)
        case "charge", "dispute", "created":
            return _dispute("disputed", told)
        case "charge", "dispute", "closed" if told.get("status") == "lost":
            return _dispute("taken_back", told)
    return _other(legible(kind))


def _other(detail: str) -> Report:
    return Report("other", frozenset(), Pending(detail))


def ours(told: Json, *by: str) -> str | None:
    """The id of the attempt that we have made it for."""
    metadata = within(told, "metadata")
    return id_of(metadata.get(ATTEMPT)) if metadata.get(BY) in by else None


def _session(what: str, session: Json) -> Report:
    attempt, name = ours(session, PAGE), id_of(session.get("id"))
    if attempt is None or name is None:
        return _other("a session that is not ours")
    word = session_word(session)
    match what:
        case "completed" | "async_payment_succeeded" if not isinstance(word, Failed):
            pass
        case "async_payment_failed" if session.get("payment_status") == "unpaid":
            word = Failed(Unpaid.DECLINED, what)
        case "expired" if isinstance(word, Failed):
            pass
        case "completed" | "async_payment_succeeded" | "async_payment_failed" | "expired":
            word = Pending(f"{what}, and the session says otherwise", unheard=True)
        case _:
            return _other(legible(what))
    facts: dict[str, object] = {"reference": name}
    if isinstance(word, Succeeded):
        word, facts = Pending("paid"), facts | {"ask": True}
    return Report("collect", frozenset({name, attempt}), word, facts)


def _intent(intent: Json) -> Report:
    """Of a card that was charged here; those of pages have their sessions."""
    attempt, name = ours(intent, CARD), id_of(intent.get("id"))
    if attempt is None or name is None:
        return _other("a payment that is told otherwise")
    if code_of(within(intent, "last_payment_error").get("code")) == "authentication_required":
        return Report("collect", frozenset({name, attempt}), Pending("the bank wants to ask the customer"))
    return Report("collect", frozenset({name, attempt}), intent_word(intent), {"reference": name})


def _refund(refund: Json) -> Report:
    attempt, word = ours(refund, REFUND), refund_word(refund)
    if attempt is not None:
        return told_refund("refund", refund, attempt)
    of = ids_of(refund, "payment_intent", "charge")
    if isinstance(word, Failed):
        word = Pending(f"a refund that did not reach its bank: {word.detail}", unheard=True)
    elif isinstance(word, Pending) and not word.unheard:
        return _other(word.detail)
    return Report("taken_back", of, word)


def told_refund(about: str, refund: Json, attempt: str) -> Report:
    """Of a refund that we have asked for."""
    names = frozenset({attempt}) | ids_of(refund, "id")
    facts = {"payout_references": names, "original": id_of(refund.get("payment_intent"))}
    return Report(about, names, refund_word(refund), facts)


def _dispute(about: str, dispute: Json) -> Report:
    of, name = ids_of(dispute, "payment_intent", "charge"), id_of(dispute.get("id"))
    amount = money_of(dispute.get("amount"), dispute.get("currency"))
    word: Word = Pending("a dispute that says too little", unheard=True)
    if of and name and amount:
        word = Succeeded(name, amount)
    return Report(about, of, word)
