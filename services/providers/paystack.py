"""Paystack: pages and saved cards of customers, and refunds; payouts to bank accounts, from the business's
balance there.

https://paystack.com/docs/transfers and /docs/api/transfer. A destination is made known first, as a
recipient, and kept. The id of our attempt is the transfer's reference, which is Paystack's guard against
paying twice. The other parts: settings in `paystack_settings`, statuses and errors in `paystack_words`, the
wire in `paystack_client`.
"""

from collections.abc import Callable
from datetime import datetime
from http import HTTPStatus
from uuid import UUID

import aiohttp

from services.money import Money
from services.news import Unpaid
from services.providers.abilities import Payout
from services.providers.base import (
    Accepted,
    Answer,
    Misconfigured,
    NotSent,
    Pending,
    Refused,
    Report,
    Succeeded,
    Tokens,
    Unknown,
    Unreadable,
)
from services.providers.bodies import id_of, json_object, legible, within
from services.providers.listing import Listed
from services.providers.paystack_client import TIMEOUT, PaystackClient
from services.providers.paystack_collect import Collecting, told_paid
from services.providers.paystack_disputes import taken_back
from services.providers.paystack_lists import list_lines
from services.providers.paystack_prompts import Prompting
from services.providers.paystack_refunds import GivingBack
from services.providers.paystack_settings import PaystackSettings
from services.providers.paystack_words import (
    Reply,
    balance_of,
    judge_recipient,
    judge_transfer,
    subunits,
    told,
    unknown_recipient,
)

CURRENCY = "KES"
_ACCOUNT_IN_KENYA = "kepss"
_REASON = 100


class Paystack(Collecting, Prompting, GivingBack):
    """Collects on pages, by saved cards and on phones, gives payments back, and pays out by transfers to
    Kenyan bank accounts."""

    def __init__(
        self,
        settings: PaystackSettings,
        http: aiohttp.ClientSession,
        url: str,
        tokens: Tokens,  # noqa: ARG002  its key is all that it wants
        now: Callable[[], datetime],  # noqa: ARG002  nothing is dated
        *,
        timeout: aiohttp.ClientTimeout = TIMEOUT,
    ) -> None:
        self._client = PaystackClient(settings.secret_key, http, url, timeout)

    async def prove_keys(self) -> NotSent | Misconfigured | None:
        """By looking at the balance, which payouts leave from."""
        match await self._client.get("/balance"):
            case Reply() as reply if reply.fine:
                return None
            case Reply(status=HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN) as reply:
                return Misconfigured(str(reply))
            case Reply() as reply:
                return NotSent(str(reply))
            case NotSent(detail) | Unknown(detail):
                return NotSent(detail)

    async def ask_float(self, method_type: str, callback_url: str, timeout_url: str) -> Answer:  # noqa: ARG002
        """Told with the answer: its one balance of a currency is what transfers leave from."""
        reply = await self._client.get("/balance")
        if not isinstance(reply, Reply):
            return reply
        if not reply.fine:
            return Refused(Unpaid.PROVIDER, str(reply))
        minor = balance_of(reply, CURRENCY)
        if minor is None:
            return Refused(Unpaid.PROVIDER, "no balance of its currency was told")
        facts = {"floats": {method_type: Money(minor, CURRENCY)}}
        return Accepted("balance", told=Report("float", frozenset(), Succeeded(), facts))

    async def pay_out(self, payout: Payout) -> Answer:
        """Send to a bank account; once for one `attempt_id`."""
        if payout.method_type != "bank_transfer" or payout.amount.currency != CURRENCY:
            return Refused(Unpaid.RECEIVER, "not a destination that transfers reach")
        known = payout.recipient
        recipient = known or await self._recipient(payout)
        if not isinstance(recipient, str):
            return recipient
        reply = await self._transfer(payout, recipient)
        if known and isinstance(reply, Reply) and not reply.fine and unknown_recipient(reply):
            # It is another account's, since the keys have changed: nothing was sent to it.
            recipient = await self._recipient(payout)
            if not isinstance(recipient, str):
                return recipient
            reply = await self._transfer(payout, recipient)
        if not isinstance(reply, Reply):
            return reply
        return _accepted(payout.attempt_id, reply, recipient) if reply.fine else judge_transfer(reply)

    async def ask(
        self,
        attempt_id: UUID,
        reference: str | None,  # noqa: ARG002  ours is known there
        callback_url: str,  # noqa: ARG002  it tells at once
        timeout_url: str,  # noqa: ARG002
        method_type: str = "bank_transfer",  # noqa: ARG002  its only way
    ) -> Answer:
        """What became of a payout is told with the answer. One that is not known there is unknown on: its
        transfer may still be on its way to them."""
        reply = await self._client.get(f"/transfer/verify/{attempt_id}")
        if not isinstance(reply, Reply):
            return reply
        if reply.fine:
            return _accepted(attempt_id, reply)
        if reply.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            return Misconfigured(str(reply))
        return Unknown(str(reply))

    @property
    def lists(self) -> bool:
        return True

    async def list_lines(
        self, since: datetime, until: datetime, page: str | None
    ) -> Listed | Misconfigured | NotSent | Unknown:
        return await list_lines(self._client, since, until, page)

    def read(self, about: str, body: bytes) -> Report:
        """A signed event: of a payment, of a transfer, of a payment given back or disputed, or of something
        else. Raises Unreadable, and nothing else."""
        event = json_object(body)
        if about != "signed" or event is None or not isinstance(event.get("event"), str):
            raise Unreadable("not an event")
        topic, _, what = event["event"].partition(".")
        if report := taken_back(event["event"], within(event, "data")):
            return report
        if event["event"] == "charge.success":
            return told_paid(within(event, "data"))
        if topic != "transfer":
            return Report("other", frozenset(), Pending(legible(event["event"])))
        report = told("payout", within(event, "data"), what)
        if not report.references:
            raise Unreadable("a transfer without a reference")
        return report

    async def _recipient(self, payout: Payout) -> str | Refused | NotSent | Misconfigured:
        """The account made known; one that is known already is only named. No money moves."""
        details = payout.details
        body = {
            "type": _ACCOUNT_IN_KENYA,
            "name": details.get("account_name", ""),
            "account_number": details.get("account_number", ""),
            "bank_code": details.get("bank_code", ""),
            "currency": CURRENCY,
        }
        reply = await self._client.post("/transferrecipient", body)
        if not isinstance(reply, Reply):
            return NotSent(reply.detail)
        if not reply.fine:
            return judge_recipient(reply)
        return id_of(reply.data.get("recipient_code")) or NotSent("a recipient without a code")

    async def _transfer(self, payout: Payout, recipient: str) -> Reply | NotSent | Unknown:
        return await self._client.post(
            "/transfer",
            {
                "source": "balance",
                "amount": subunits(payout.amount),
                "currency": CURRENCY,
                "recipient": recipient,
                "reference": str(payout.attempt_id),  # 36 of the 16 to 50 characters a-z, 0-9, - and _
                "reason": legible(payout.remarks)[:_REASON] or "Payout",
            },
        )


def _accepted(attempt_id: UUID, reply: Reply, recipient: str | None = None) -> Accepted | Unknown:
    """What the answer tells of the transfer counts as an answer to a query: it was asked by our reference."""
    report, ours = told("query", reply.data), str(attempt_id)
    if ours not in report.references:
        return Unknown("the answer is about another transfer")
    code = id_of(reply.data.get("transfer_code")) or ours
    return Accepted(code, recipient=recipient, told=report)
