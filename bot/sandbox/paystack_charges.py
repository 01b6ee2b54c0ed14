"""Charges: what customers pay by the emulated Paystack: on its page, or by a card that they paid with before.

Source: https://paystack.com/docs/api/transaction and /docs/payments/recurring-charges. Only of a success an
event is posted. A page that nobody has paid on is *abandoned*, and can be paid on all the same.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime

from bot.sandbox.paystack_events import Events
from bot.sandbox.paystack_lists import Transactions, stamp
from bot.sandbox.paystack_transfers import PaystackError
from bot.sandbox.stage import Stage
from bot.sandbox.world import Json, PaystackAccount

_REFERENCE = re.compile(r"[A-Za-z0-9.=-]{1,100}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[a-z]{2,}")
_LEAST = {"KES": 300}
SAID = {"success": "Approved", "failed": "Declined", "abandoned": "The transaction was not completed"}


@dataclass(slots=True)
class Card:
    """That was paid with once. `email`: it can be charged for no other."""

    code: str
    email: str
    last4: str = "4081"
    active: bool = True


@dataclass(slots=True)
class Transaction:
    """`amount` is in cents. `card`: what it was, or is, paid with; `phone`: the one that is asked instead,
    and `said` what came of that."""

    account: PaystackAccount
    reference: str
    access_code: str
    amount: int
    email: str
    callback_url: str
    origin: str
    at: datetime
    status: str = "abandoned"
    card: Card | None = None
    phone: str | None = None
    said: str | None = None
    listed: Json = field(default_factory=dict)

    @property
    def done(self) -> bool:
        return self.status in ("success", "failed")


class Charges:
    def __init__(self, stage: Stage, events: Events, transactions: Transactions) -> None:
        self._stage, self._events, self._transactions = stage, events, transactions
        self._made: dict[tuple[str, str], Transaction] = {}
        self._cards: dict[tuple[str, str], Card] = {}

    def reset(self) -> None:
        """The cards stay, as the app still knows them."""
        self._made.clear()

    def by_access_code(self, code: str) -> Transaction | None:
        return next((each for each in self._made.values() if each.access_code == code), None)

    def all(self) -> list[Transaction]:
        return list(self._made.values())

    # --- what the API does

    def initialize(self, account: PaystackAccount, body: Json, origin: str) -> Json:
        """Raises PaystackError."""
        made = self._make(account, body, origin)
        return {
            "authorization_url": _address(made),
            "access_code": made.access_code,
            "reference": made.reference,
        }

    async def charge(self, account: PaystackAccount, body: Json, fault: str, origin: str) -> Json:
        """Raises PaystackError."""
        card = self._cards.get((account.slug, str(body.get("authorization_code"))))
        if card is None or not card.active:
            raise PaystackError(400, "Authorization code is invalid", "invalid_authorization")
        if card.email != body.get("email"):
            message = "Email does not match Authorization code. Authorization may be inactive"
            raise PaystackError(400, message, "invalid_authorization")
        made = self._make(account, body, origin)
        made.card = card
        match fault:
            case "paused":
                return {
                    "authorization_url": _address(made),
                    "reference": made.reference,
                    "access_code": made.access_code,
                    "paused": True,
                }
            case "declined" | "insufficient":
                self._decide(made, "failed")
            case "callback_first":
                self._decide(made, "success")
                await self.tell(made)
            case _:
                self._decide(made, "success")
                self._stage.wire.start(self.tell(made))
        why = {"insufficient": "Insufficient Funds"}.get(fault)
        return self.told(made) | ({"gateway_response": why} if why else {})

    def asked(self, account: PaystackAccount, body: Json, phone: str) -> Transaction:
        """One that a phone is asked for. Raises PaystackError."""
        made = self._make(account, body, "")
        made.phone, made.status = phone, "ongoing"
        return made

    def answered(self, made: Transaction, status: str, said: str) -> None:
        """What the phone has said."""
        made.said = said
        self._decide(made, status)

    def verified(self, account: PaystackAccount, reference: str) -> Json:
        """Raises PaystackError."""
        made = self._made.get((account.slug, reference))
        if made is None:
            raise PaystackError(404, "Transaction reference not found", "transaction_not_found")
        return self.told(made)

    def deactivate(self, account: PaystackAccount, body: Json) -> None:
        """Raises PaystackError."""
        card = self._cards.get((account.slug, str(body.get("authorization_code"))))
        if card is None:
            raise PaystackError(404, "Authorization could not be found", "not_found")
        card.active = False

    # --- what the customer does on the page

    def pay(self, made: Transaction) -> bool:
        """False where it is paid already."""
        if made.status == "success":
            return False
        if made.card is None:
            made.card = Card(f"AUTH_{self._stage.ids.token()[:10].lower()}", made.email)
            self._cards[made.account.slug, made.card.code] = made.card
        self._decide(made, "success")
        self._stage.wire.start(self.tell(made))
        return True

    def fail(self, made: Transaction) -> bool:
        """The card is declined; nobody is told, and another one may be tried."""
        if made.status == "success":
            return False
        self._decide(made, "failed")
        return True

    def told(self, made: Transaction) -> Json:
        """As verify, a charge and an event tell it."""
        amount = made.amount
        return {
            "id": made.listed.get("id", 0),
            "domain": "test",
            "status": made.status,
            "reference": made.reference,
            "receipt_number": None,
            "amount": amount,
            "message": None,
            "gateway_response": made.said or SAID.get(made.status),
            "paid_at": stamp(made.at) if made.status == "success" else None,
            "created_at": stamp(made.at),
            "channel": "mobile_money" if made.phone else "card",
            "currency": "KES",
            "ip_address": "127.0.0.1",
            "metadata": "",
            "fees": made.listed.get("fees"),
            "authorization": _paid_with(made),
            "customer": {"id": 1, "email": made.email, "customer_code": "CUS_sandbox"},
            "requested_amount": amount,
        }

    # --- inside

    def _make(self, account: PaystackAccount, body: Json, origin: str) -> Transaction:
        amount, reference, email = body.get("amount"), body.get("reference"), body.get("email")
        if not isinstance(email, str) or _EMAIL.fullmatch(email) is None:
            raise PaystackError(400, "Invalid Email Address Passed", "invalid_email_address")
        if body.get("currency") != "KES":
            raise PaystackError(403, "Currency not supported by merchant", "unsupported_currency")
        if isinstance(amount, bool) or not isinstance(amount, int) or amount < _LEAST["KES"]:
            raise PaystackError(400, "Invalid Amount Sent", "invalid_amount")
        if not isinstance(reference, str) or _REFERENCE.fullmatch(reference) is None:
            raise PaystackError(400, "Invalid transaction reference", "invalid_reference")
        if (account.slug, reference) in self._made:
            raise PaystackError(400, "Duplicate Transaction Reference", "duplicate_reference")
        made = Transaction(
            account=account,
            reference=reference,
            access_code=self._stage.ids.token()[:15].lower(),
            amount=amount,
            email=email,
            callback_url=str(body.get("callback_url") or ""),
            origin=origin,
            at=self._stage.world.now(),
        )
        self._made[account.slug, reference] = made
        return made

    def _decide(self, made: Transaction, status: str) -> None:
        made.status = status
        if not made.listed:
            made.listed = self._transactions.make(made.account.slug, made.amount, made.reference, status)
        elif status == "success":
            paid = {"status": status, "paid_at": stamp(self._stage.world.now()), "fees": 0}
            made.listed.update(paid)

    async def tell(self, made: Transaction) -> None:
        """By an event, as it is told of a success."""
        told = twisted(self.told(made), self._stage.faults.take_name("paystack.told"))
        await self._events.post(made.account, "charge.success", told)


def twisted(told: Json, fault: str) -> Json:
    """As it is not."""
    match fault:
        case "other_amount":
            more = told["amount"] + 100
            return told | {"amount": more, "requested_amount": more}
        case "other_currency":
            return told | {"currency": "NGN"}
        case "contradictory":
            return told | {"status": "failed"}
        case "unheard":
            return told | {"status": "settled-ish"}
    return told


def _address(made: Transaction) -> str:
    return f"{made.origin}/paystack/pay/{made.access_code}"


def _paid_with(made: Transaction) -> Json:
    if made.phone and made.done:
        return {
            "authorization_code": f"AUTH_{made.access_code[:10]}",
            "bin": f"{made.phone[1:4]}XXX",
            "last4": f"X{made.phone[-3:]}",
            "exp_month": "12",
            "exp_year": "9999",
            "channel": "mobile_money",
            "card_type": "",
            "bank": "M-PESA",
            "country_code": "KE",
            "brand": "M-pesa",
            "reusable": False,
            "signature": None,
            "account_name": None,
        }
    return _authorization(made.card) if made.card and made.done else {}


def _authorization(card: Card) -> Json:
    return {
        "authorization_code": card.code,
        "bin": "408408",
        "last4": card.last4,
        "exp_month": "12",
        "exp_year": "2030",
        "channel": "card",
        "card_type": "visa ",
        "bank": "TEST BANK",
        "country_code": "KE",
        "brand": "visa",
        "reusable": True,
        "signature": f"SIG_{card.code[5:]}",
        "account_name": None,
    }
