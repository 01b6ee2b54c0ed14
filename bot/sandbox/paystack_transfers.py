"""Transfers: money that leaves a Paystack balance for a bank account: queued, then decided.

Source: https://paystack.com/docs/transfers/how-transfers-work. The amount leaves the balance when the
transfer is queued, and comes back with one that fails.
"""

import asyncio
import re
from dataclasses import dataclass
from datetime import datetime

from bot.sandbox.paystack_events import Events
from bot.sandbox.stage import Stage
from bot.sandbox.world import Json, PaystackAccount

REFERENCE = re.compile(r"[a-z0-9_-]{16,50}")
ACCOUNT = re.compile(r"\d{4,20}")
DECIDED = ("success", "failed", "reversed", "abandoned", "blocked", "rejected")
BY_HAND = {"succeed": "success", "fail": "failed"}  # by the page's words
GIVE_BACK = "give_back"


class PaystackError(Exception):
    """An answer that is an error: HTTP `status`, a message and a code."""

    def __init__(self, status: int, message: str, code: str) -> None:
        super().__init__(message)
        self.status = status
        self.body: Json = {
            "status": False,
            "message": message,
            "meta": {"nextStep": "Try again later"},
            "type": "validation_error",
            "code": code,
        }


@dataclass(slots=True)
class Recipient:
    id: int
    code: str
    name: str
    account_number: str
    bank_code: str


@dataclass(slots=True)
class Transfer:
    """`amount` is in cents."""

    id: int
    account: PaystackAccount
    recipient: Recipient
    reference: str
    code: str
    amount: int
    reason: str
    at: datetime
    outcome: str
    status: str = "pending"


class Transfers:
    def __init__(self, stage: Stage, events: Events) -> None:
        self._stage, self._events = stage, events
        self._balances: dict[str, int] = {}
        self._recipients: dict[tuple[str, str, str], Recipient] = {}
        self._transfers: dict[tuple[str, str], Transfer] = {}
        self.reset()

    def reset(self) -> None:
        """The recipients stay, as the app still knows them."""
        self._balances = {account.slug: account.balance * 100 for account in self._stage.world.paystack}
        self._transfers.clear()

    def all(self) -> list[Transfer]:
        return list(self._transfers.values())

    def balance(self, account: PaystackAccount) -> int:
        """In cents."""
        return self._balances[account.slug]

    def set_balance(self, slug: str, shillings: int) -> bool:
        """False for a merchant that has no account."""
        if slug not in self._balances:
            return False
        self._move(slug, shillings * 100 - self._balances[slug])
        return True

    # --- what the API does

    def recipient(self, account: PaystackAccount, body: Json) -> Json:
        """An account that is known already is given back as it is. Raises PaystackError."""
        if body.get("type") != "kepss":
            raise PaystackError(400, "Recipient type is not supported", "invalid_params")
        if body.get("currency") != "KES":
            raise PaystackError(400, "Currency not supported by merchant", "invalid_params")
        number, bank = str(body.get("account_number", "")), str(body.get("bank_code", ""))
        if not body.get("name") or ACCOUNT.fullmatch(number) is None or not bank:
            raise PaystackError(400, "Account number is invalid", "invalid_params")
        place = (account.slug, bank, number)
        if place not in self._recipients:
            count = len(self._recipients) + 1
            code = f"RCP_{self._stage.ids.token()[:15].lower()}"
            self._recipients[place] = Recipient(count, code, str(body["name"]), number, bank)
        return _recipient(self._recipients[place])

    async def send(self, account: PaystackAccount, body: Json, *, told_first: bool) -> Json:
        """Raises PaystackError."""
        transfer = self._checked(account, body)
        self._transfers[account.slug, transfer.reference] = transfer
        self._move(account.slug, -transfer.amount)
        self._tell(transfer)
        if transfer.outcome == "otp":
            transfer.status = "otp"
            return transfer_told(transfer)
        told = transfer_told(transfer)
        if told_first:
            await self._decide(transfer, "success")
        elif transfer.outcome != "hang":
            self._stage.wire.start(self._process(transfer))
        return told

    def verified(self, account: PaystackAccount, reference: str) -> Json:
        """Raises PaystackError."""
        transfer = self._transfers.get((account.slug, reference))
        if transfer is None:
            raise PaystackError(404, "Transfer not found", "not_found")
        return transfer_told(transfer) | {"recipient": _recipient(transfer.recipient), "fee_charged": 0}

    # --- what the page does

    def answer(self, reference: str, outcome: str) -> bool:
        """Decides one that hangs or waits for a code, or gives back one that was paid; False where it is none
        of these."""
        found = next((each for each in self.all() if each.reference == reference), None)
        status = BY_HAND.get(outcome)
        if found is not None and outcome == GIVE_BACK and found.status == "success":
            self._stage.wire.start(self._decide(found, "reversed"))
            return True
        if found is None or status is None or found.status in DECIDED:
            return False
        self._stage.wire.start(self._decide(found, status))
        return True

    def view(self, transfer: Transfer) -> Json:
        """As payouts of M-Pesa are shown."""
        done = transfer.status in DECIDED
        recipient = transfer.recipient
        return {
            "id": transfer.reference,
            "phone": None,
            "number": f"bank {recipient.bank_code}, {recipient.account_number}",
            "merchant": transfer.account.merchant,
            "amount": transfer.amount // 100
            if transfer.amount % 100 == 0
            else f"{transfer.amount / 100:.2f}",
            "at": int(transfer.at.timestamp() * 1000),
            "state": "done" if done else "queued",
            "code": ("0" if transfer.status == "success" else transfer.status) if done else None,
            "description": transfer.status,
            "receipt": transfer.code if transfer.status == "success" else "",
        }

    def floats(self) -> list[Json]:
        """As those of M-Pesa are shown: what payouts may draw on, in whole shillings."""
        return [
            {
                "shortcode": account.slug,
                "merchant": account.merchant,
                "at": "Paystack",
                "working": 0,
                "utility": self._balances[account.slug] // 100,
            }
            for account in self._stage.world.paystack
        ]

    # --- inside

    def _checked(self, account: PaystackAccount, body: Json) -> Transfer:
        amount, reference = body.get("amount"), body.get("reference")
        if body.get("source") != "balance" or body.get("currency") != "KES":
            raise PaystackError(400, "Source or currency is invalid", "invalid_params")
        if isinstance(amount, bool) or not isinstance(amount, int) or amount <= 0:
            raise PaystackError(400, "Amount is invalid", "invalid_params")
        if not isinstance(reference, str) or REFERENCE.fullmatch(reference) is None:
            raise PaystackError(400, "Transfer reference is malformed", "invalid_params")
        known = {each.code: each for place, each in self._recipients.items() if place[0] == account.slug}
        recipient = known.get(str(body.get("recipient")))
        if recipient is None:
            raise PaystackError(400, "Recipient specified is invalid", "invalid_transfer_recipient")
        if (account.slug, reference) in self._transfers:
            message = "Please provide a unique reference. Reference already exists on a transfer"
            raise PaystackError(400, message, "duplicate_reference")
        if self._balances[account.slug] < amount:
            message = "Your balance is not enough to fulfil this request"
            raise PaystackError(400, message, "insufficient_balance")
        return Transfer(
            id=len(self._transfers) + 1,
            account=account,
            recipient=recipient,
            reference=reference,
            code=f"TRF_{self._stage.ids.token()[:16].lower()}",
            amount=amount,
            reason=str(body.get("reason", "")),
            at=self._stage.world.now(),
            outcome=self._stage.faults.take_name("paystack.outcome"),
        )

    async def _process(self, transfer: Transfer) -> None:
        await asyncio.sleep(self._stage.world.payout_delay)
        if transfer.status in DECIDED:
            return
        match transfer.outcome:
            case "given_back":
                await self._decide(transfer, "reversed")
            case "given_back_later":
                await self._decide(transfer, "success")
                await asyncio.sleep(self._stage.world.payout_delay)
                await self._decide(transfer, "reversed")
            case outcome:
                await self._decide(transfer, outcome or "success")

    async def _decide(self, transfer: Transfer, status: str) -> None:
        transfer.status = status
        if status != "success":
            self._move(transfer.account.slug, transfer.amount)
        self._tell(transfer)
        told = transfer_told(transfer) | {
            "recipient": _recipient(transfer.recipient),
            "session": {"id": None},
        }
        await self._events.post(transfer.account, f"transfer.{status}", told)

    def _move(self, slug: str, cents: int) -> None:
        self._balances[slug] += cents

    def _tell(self, transfer: Transfer) -> None:
        self._stage.feed.tell("payout", self.view(transfer))


def _recipient(recipient: Recipient) -> Json:
    return {
        "active": True,
        "currency": "KES",
        "domain": "test",
        "id": recipient.id,
        "name": recipient.name,
        "recipient_code": recipient.code,
        "type": "kepss",
        "is_deleted": False,
        "details": {
            "authorization_code": None,
            "account_number": recipient.account_number,
            "account_name": None,
            "bank_code": recipient.bank_code,
        },
    }


def transfer_told(transfer: Transfer) -> Json:
    at = f"{transfer.at:%Y-%m-%dT%H:%M:%S}.000Z"
    return {
        "amount": transfer.amount,
        "createdAt": at,
        "currency": "KES",
        "domain": "test",
        "failures": None,
        "id": transfer.id,
        "reason": transfer.reason,
        "recipient": transfer.recipient.id,
        "reference": transfer.reference,
        "source": "balance",
        "status": transfer.status,
        "titan_code": None,
        "transfer_code": transfer.code,
        "transferred_at": at if transfer.status == "success" else None,
        "updatedAt": at,
    }
