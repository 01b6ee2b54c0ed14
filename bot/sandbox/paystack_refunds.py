"""Refunds: what goes back from the emulated Paystack: asked for by the API, made on its own pages, or the end
of a dispute.

Source: https://paystack.com/docs/api/refund, /docs/payments/refunds (statuses, events) and
/docs/payments/disputes. A refund is queued, and events tell how it goes on: none says who has made it, most
not even which one it is.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime

from bot.sandbox.paystack_events import Events
from bot.sandbox.paystack_lists import Transactions, stamp
from bot.sandbox.paystack_transfers import PaystackError
from bot.sandbox.stage import Stage
from bot.sandbox.world import Json, PaystackAccount

_ENDED = ("processed", "failed")
_MOVES = ("pending", "processing", *_ENDED, "needs-attention")
_INSIDE = "merchant@example.com"


@dataclass(slots=True)
class Refund:
    """`amount` is in cents; `of`: the transaction, as it is listed."""

    id: int
    slug: str
    of: Json
    amount: int
    status: str
    at: datetime
    notes: Json = field(default_factory=dict)
    dispute: int | None = None
    done_at: datetime | None = None


@dataclass(slots=True)
class Dispute:
    id: int
    slug: str
    of: Json
    amount: int
    at: datetime
    resolution: str | None = None


class Refunds:
    def __init__(self, stage: Stage, events: Events, transactions: Transactions) -> None:
        self._stage, self._events, self._transactions = stage, events, transactions
        self._made: list[Refund] = []
        self._disputes: list[Dispute] = []

    def reset(self) -> None:
        self._made.clear()
        self._disputes.clear()

    # --- what the API does

    async def create(self, account: PaystackAccount, body: Json, *, told_first: bool) -> Json:
        """Raises PaystackError."""
        of = self._transaction(account, body.get("transaction"))
        left = self._left(of)
        amount = _amount(body["amount"]) if "amount" in body else left
        if left <= 0:
            raise PaystackError(400, "Transaction has been fully reversed", "transaction_reversed")
        if not 0 < amount <= left:
            raise PaystackError(400, "Refund amount cannot be more than transaction amount", "invalid_amount")
        if body.get("currency", "KES") != "KES":
            raise PaystackError(400, "Currency does not match the transaction's", "invalid_params")
        ours = f"Refund for transaction {of['reference']}"
        notes = {
            "customer_note": body.get("customer_note") or ours,
            "merchant_note": body.get("merchant_note") or f"{ours} by {_INSIDE}",
        }
        refund = self.make(account.slug, amount, of, "pending", notes)
        told = self.told(refund) | {"transaction": _whole(of)}
        outcome = self._stage.faults.take_name("paystack.refunded")
        if told_first:
            await self._process(account, refund, outcome, 0)
        else:
            self._stage.wire.start(self._process(account, refund, outcome, self._stage.world.payout_delay))
        return told

    def fetched(self, account: PaystackAccount, number: str) -> Json:
        """Raises PaystackError."""
        for each in self._made:
            if each.slug == account.slug and str(each.id) == number:
                return self.told(each)
        raise PaystackError(404, "Refund not found", "not_found")

    def listed(self, account: PaystackAccount, transaction: str | None) -> list[tuple[datetime, Json]]:
        return [
            (each.at, self.told(each))
            for each in self._made
            if each.slug == account.slug and transaction in (None, str(each.of.get("id")))
        ]

    # --- what is done on Paystack's own pages, by banks, and by customers at theirs

    def make(self, slug: str, cents: int, of: Json, status: str, notes: Json | None = None) -> Refund:
        """Without a word to anybody."""
        now = self._stage.world.now()
        ours = f"Refund for transaction {of['reference']}"
        notes = notes or {"customer_note": ours, "merchant_note": f"{ours} by {_INSIDE}"}
        refund = Refund(15_000_000 + len(self._made), slug, of, cents, status, now, notes)
        refund.done_at = now if status == "processed" else None
        self._made.append(refund)
        return refund

    async def tell(self, refund: Refund) -> None:
        account = self._account(refund.slug)
        if account is not None:
            await self._events.post(account, f"refund.{refund.status}", self._event(refund))

    def decide(self, number: str, status: str) -> bool:
        """What becomes of it, an end too that was another; False where there is nothing such."""
        found = next((each for each in self._made if str(each.id) == number), None)
        if found is None or status not in _MOVES or found.status == status:
            return False
        self._stage.wire.start(self._go(found, status))
        return True

    def dispute(self, slug: str, reference: str, cents: int | None = None) -> Dispute | None:
        """Its customer asks the bank to have it back; None where there is nothing to dispute."""
        of, account = self._transactions.called(slug, reference), self._account(slug)
        if account is None or of.get("status") != "success" or self._open_dispute(slug, of):
            return None
        number = 350_000 + len(self._disputes)
        made = Dispute(number, slug, of, cents or of["amount"], self._stage.world.now())
        self._disputes.append(made)
        told = _disputed(made, "awaiting-merchant-feedback")
        self._stage.wire.start(self._events.post(account, "charge.dispute.create", told))
        return made

    def close(self, number: str, *, won: bool) -> bool:
        """One that is lost gives the money back, which is a refund of its own; False for one that is
        closed."""
        made = next((each for each in self._disputes if str(each.id) == number), None)
        account = self._account(made.slug) if made else None
        if made is None or account is None or made.resolution:
            return False
        made.resolution = "declined" if won else "merchant-accepted"
        told = _disputed(made, "resolved")
        self._stage.wire.start(self._events.post(account, "charge.dispute.resolve", told))
        if not won:
            refund = self.make(made.slug, made.amount, made.of, "processed")
            refund.dispute = made.id
            self._stage.wire.start(self.tell(refund))
        return True

    def view(self) -> list[Json]:
        """What was paid, with what went back of it and is disputed, as the panel shows it."""
        return [
            {
                "provider": "paystack",
                "id": of["reference"],
                "named": {"slug": account.slug, "reference": of["reference"]},
                "amount": of["amount"],
                "at": int(at.timestamp()),
                "currency": "KES",
                "refunds": [_brief(each) for each in self._made if each.of is of],
                "dispute": next((_complaint(each) for each in self._disputes if each.of is of), None),
            }
            for account in self._stage.world.paystack
            for at, of in self._transactions.of(account)
            if of["status"] in ("success", "reversed")
        ]

    def told(self, refund: Refund) -> Json:
        """As the list and a fetch tell it."""
        at = stamp(refund.at)
        return {
            "integration": 100_000,
            "transaction": refund.of.get("id"),
            "dispute": None,  # their pages show nothing else, for a refund that ends one too
            "settlement": None,
            "id": refund.id,
            "domain": "test",
            "currency": "KES",
            "amount": refund.amount,
            "status": refund.status,
            "refunded_at": stamp(refund.done_at) if refund.done_at else None,
            "refunded_by": _INSIDE,
            "deducted_amount": refund.amount,
            "fully_deducted": refund.status == "processed",
            "channel": refund.of.get("channel"),
            "bank_reference": None,
            "createdAt": at,
            "updatedAt": at,
            **refund.notes,
        }

    # --- inside

    def _transaction(self, account: PaystackAccount, named: object) -> Json:
        for _, of in self._transactions.of(account):
            if str(named) in (str(of["id"]), of["reference"]):
                if of["status"] not in ("success", "reversed"):
                    break
                return of
        raise PaystackError(404, "Transaction not found", "transaction_not_found")

    def _left(self, of: Json) -> int:
        back = sum(each.amount for each in self._made if each.of is of and each.status != "failed")
        left: int = of["amount"] - back
        return left

    async def _process(self, account: PaystackAccount, refund: Refund, outcome: str, delay: float) -> None:
        await self._events.post(account, "refund.pending", self._event(refund))
        await asyncio.sleep(delay)
        await self._go(refund, "processing")
        ends = {"failed": "failed", "needs_attention": "needs-attention", "hang": "processing"}
        await self._go(refund, ends.get(outcome, "processed"))
        if outcome == "failed_later":
            await asyncio.sleep(delay)
            await self._go(refund, "failed")

    async def _go(self, refund: Refund, status: str) -> None:
        if refund.status == status:
            return
        refund.status = status
        refund.done_at = self._stage.world.now() if status == "processed" else None
        if "amount" in refund.of:
            whole = self._left(refund.of) == 0
            refund.of["status"] = "reversed" if whole and status == "processed" else "success"
        await self.tell(refund)

    def _event(self, refund: Refund) -> Json:
        told: Json = {
            "status": refund.status,
            "transaction_reference": refund.of["reference"],
            "refund_reference": f"TRF_{refund.id}" if refund.status in _ENDED else None,
            "amount": str(refund.amount) if refund.status != "failed" else refund.amount,
            "currency": "KES",
            "customer": {"first_name": None, "last_name": None, "email": "nobody@example.com"},
            "integration": 100_000,
            "domain": "test",
        }
        if refund.status == "needs-attention":
            return told | {"id": str(refund.id), **refund.notes}
        return told | {"processor": "instant-transfer"}

    def _open_dispute(self, slug: str, of: Json) -> bool:
        return any(each.slug == slug and each.of is of for each in self._disputes)

    def _account(self, slug: str) -> PaystackAccount | None:
        return next((each for each in self._stage.world.paystack if each.slug == slug), None)


def _amount(told: object) -> int:
    """Whole subunits, as a number or as text."""
    digits = str(told)
    if isinstance(told, bool) or not isinstance(told, int | str) or not digits.isdecimal():
        raise PaystackError(400, "Amount is invalid", "invalid_params")
    return int(digits)


def _whole(of: Json) -> Json:
    named = ("id", "domain", "reference", "amount", "paid_at", "channel", "currency")
    return {name: of[name] for name in named}


def _brief(refund: Refund) -> Json:
    by_dispute = refund.dispute is not None
    return {"id": str(refund.id), "amount": refund.amount, "status": refund.status, "dispute": by_dispute}


def _complaint(dispute: Dispute) -> Json:
    status = {None: "open", "declined": "won"}.get(dispute.resolution, "lost")
    return {"id": str(dispute.id), "amount": dispute.amount, "status": status}


def _disputed(dispute: Dispute, status: str) -> Json:
    return {
        "id": dispute.id,
        "refund_amount": dispute.amount,
        "currency": "KES",
        "status": status,
        "resolution": dispute.resolution,
        "domain": "test",
        "transaction": _whole(dispute.of) | {"status": dispute.of["status"]},
        "transaction_reference": None,
        "category": "chargeback",
        "resolvedAt": None,
        "created_at": stamp(dispute.at),
    }
