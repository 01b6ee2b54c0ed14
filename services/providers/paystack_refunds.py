"""Refunds by Paystack: a payment given back, in whole or in part.

https://paystack.com/docs/api/refund and /docs/payments/refunds. Paystack takes no id of ours that would keep
a refund from being made twice, so it is asked for once: the attempt's id stands in its `merchant_note`, by
which it is found among the refunds of its payment where the answer was lost. An event names the payment, and
neither the refund nor that note, so it is nothing but a reason to look at them all.
"""

import re
from collections.abc import Iterator
from http import HTTPStatus
from uuid import UUID

from services.news import Unpaid
from services.providers.base import (
    Accepted,
    Answer,
    Failed,
    Misconfigured,
    NotSent,
    Pending,
    Refused,
    Report,
    Succeeded,
    Unknown,
    Word,
)
from services.providers.bodies import Json, code_of, id_of, legible
from services.providers.paystack_client import PaystackClient
from services.providers.paystack_words import Reply, money_of, no_plain_no, subunits
from services.providers.refunds import Refund

_NOT_ALLOWED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)
_SHORT = ("insufficient", "balance is not enough", "balance is too low")
_CLOSED = ("not enabled", "disabled", "not supported", "not available", "not allowed")
_OURS = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_ID = re.compile(r"[0-9]{1,20}", re.ASCII)
_MOST = 100  # of one payment
_LONGEST_NOTE = 60


class GivingBack:
    """Gives payments back, for `Paystack`."""

    _client: PaystackClient

    async def refund(self, refund: Refund) -> Answer:
        """How it stands is told with the answer: it is queued, and done days later."""
        words = legible(refund.remarks)[:_LONGEST_NOTE] or "Refund"
        wanted = {
            "transaction": refund.receipt,
            "amount": subunits(refund.amount),
            "currency": refund.amount.currency,
            "customer_note": words,
            "merchant_note": f"{words} {refund.attempt_id}",
        }
        reply = await self._client.post("/refund", wanted)
        if not isinstance(reply, Reply):
            return reply
        if not reply.fine:
            return judge_refund(reply)
        told, name = reply.data, id_of(reply.data.get("id"))
        if name is None or money_of(told.get("amount"), told.get("currency")) != refund.amount:
            return Unknown("the answer is about another refund, or names none")
        if _payment_of(told) not in (None, refund.receipt):
            return Unknown("the answer is about another payment")
        return Accepted(name, told=told_refund(told, str(refund.attempt_id)))

    async def ask_refund(
        self,
        receipt: str,
        reference: str | None,
        callback_url: str,  # noqa: ARG002  it tells at once
        timeout_url: str,  # noqa: ARG002
        attempt_id: UUID,
    ) -> Answer:
        """By its reference; without one of the payment, whose refunds are told all, whoever has made them.
        One that is not there says nothing: it may still be on its way to them."""
        if reference is None:
            return await self._all_of(receipt)
        if _ID.fullmatch(reference) is None:
            return Unknown("no refund of Paystack's")
        reply = await self._client.get(f"/refund/{reference}")
        if not isinstance(reply, Reply):
            return reply
        if not reply.fine:
            return _unanswered(reply)
        if id_of(reply.data.get("id")) != reference:
            return Unknown("the answer is about another refund")
        return Accepted(reference, told=told_refund(reply.data, str(attempt_id)))

    async def _all_of(self, receipt: str) -> Answer:
        if _ID.fullmatch(receipt) is None:
            return Unknown("no transaction of Paystack's")
        reply = await self._client.get(f"/refund?transaction={receipt}&perPage={_MOST}")
        if not isinstance(reply, Reply):
            return reply
        listed = reply.body.get("data")
        if not reply.fine or not isinstance(listed, list):
            return _unanswered(reply)
        if len(listed) >= _MOST:
            return Unknown("more refunds than one page of their list has")
        facts = {"original": receipt, "refunds": tuple(_reports(listed, receipt))}
        word = Pending(f"{len(listed)} refunds of it")
        return Accepted(receipt, told=Report("refunded_query", frozenset({receipt}), word, facts))


def _unanswered(reply: Reply) -> Misconfigured | Unknown:
    return Misconfigured(str(reply)) if reply.status in _NOT_ALLOWED else Unknown(str(reply))


def _reports(listed: list[object], receipt: str) -> Iterator[Report]:
    """Those of this payment; what the list tells of another is none of them."""
    for each in listed:
        if isinstance(each, dict) and id_of(each.get("id")) and _payment_of(each) == receipt:
            yield told_refund(each, _noted(each))


def told_refund(told: Json, attempt: str | None) -> Report:
    """Of one refund as it stands. `attempt`: the id of ours that it is known to be of, None where somebody
    else has made it, perhaps."""
    name = id_of(told.get("id")) or ""
    names = frozenset({name}) | ({attempt} if attempt else frozenset())
    facts = {"reference": name, "payout_references": names, "original": _payment_of(told)}
    return Report("refund_query", names, _word(told), facts | {"called": called(told)})


def called(told: Json) -> str:
    """A refund's name among what was taken back, whether or not it ends a dispute."""
    return f"refund-{id_of(told.get('id'))}"


def _payment_of(told: Json) -> str | None:
    """The id of the transaction, which is told as such or as an object."""
    paid = told.get("transaction")
    return id_of(paid.get("id") if isinstance(paid, dict) else paid)


def _noted(told: Json) -> str | None:
    note = told.get("merchant_note")
    found = _OURS.findall(note) if isinstance(note, str) else []
    return found[-1] if found else None


def _word(told: Json) -> Word:
    status = code_of(told.get("status")).lower()
    amount = money_of(told.get("amount"), told.get("currency"))
    match status:
        case "processed" if amount is not None:
            return Succeeded(id_of(told.get("id")), amount)
        case "failed":  # what was taken for it lies in the business's balance again
            return Failed(Unpaid.RECEIVER, f"failed {legible(told.get('reason'))}".strip(), returned=amount)
        case "pending" | "processing":
            return Pending(status)
        case "needs-attention":
            return Pending(
                "needs-attention: it asks for the customer's bank account, see its page", waits=True
            )
    return Pending(f"a refund that is {status[:30]}", unheard=True)


def judge_refund(reply: Reply) -> Refused | NotSent | Misconfigured | Unknown:
    """What an answer that does not accept means."""
    said, why = reply.said, str(reply)
    if (unclear := no_plain_no(reply)) is not None:
        return unclear
    if any(words in said for words in _SHORT):
        return Refused(Unpaid.INSUFFICIENT_FUNDS, why, ours=True)
    if any(words in said for words in _CLOSED):
        return Misconfigured(why)
    return Refused(Unpaid.PROVIDER, why)
