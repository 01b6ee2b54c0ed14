"""Orders: what a merchant has asked a customer to pay at Pesapal, and what became of it.

Source: https://developer.pesapal.com/how-to-integrate/e-commerce/api-30-json/api-reference. An order that
failed can be paid after all, for as long as its page is open. A refund waits until the merchant agrees in the
dashboard.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal

from bot.sandbox.pesapal_door import PesapalError
from bot.sandbox.pesapal_notices import Ipn, Notice, Notices
from bot.sandbox.stage import Stage
from bot.sandbox.world import Json, PesapalAccount

EAT = timezone(timedelta(hours=3))
ID = re.compile(r"[A-Za-z0-9._:-]{1,50}")
INVALID, COMPLETED, FAILED, REVERSED = 0, 1, 2, 3
WORDS = {INVALID: "INVALID", COMPLETED: "Completed", FAILED: "Failed", REVERSED: "Reversed"}
MOBILE, CARD = "mpesa", "card"
HOWS = (MOBILE, CARD, "fail", "cancel")
_LONGEST_DESCRIPTION = 100


@dataclass(slots=True)
class Order:
    """`twist`: in what its status is not as it should be; `refund`: None, "asked" or "refused"."""

    account: PesapalAccount
    tracking_id: str
    reference: str
    amount: Decimal
    currency: str
    description: str
    callback_url: str
    cancellation_url: str
    ipn: Ipn
    phone: str
    at: datetime
    code: int = INVALID
    method: str = ""
    payer: str = ""
    receipt: str = ""
    why: str = ""
    canceled: bool = False
    twist: str = ""
    refund: str | None = None

    @property
    def notice(self) -> Notice:
        return Notice(self.ipn.url, self.ipn.kind, self.tracking_id, self.reference)

    @property
    def open(self) -> bool:
        return self.code in (INVALID, FAILED) and not self.canceled


class Orders:
    def __init__(self, stage: Stage, notices: Notices) -> None:
        self._stage, self._notices = stage, notices
        self._orders: dict[str, Order] = {}

    def reset(self) -> None:
        self._orders.clear()

    def all(self) -> list[Order]:
        return list(self._orders.values())

    def find(self, tracking_id: str) -> Order | None:
        return self._orders.get(tracking_id)

    # --- what the API does

    async def submit(self, account: PesapalAccount, body: Json, page: str, *, told_first: bool) -> Json:
        """Raises PesapalError."""
        order = self._checked(account, body)
        self._orders[order.tracking_id] = order
        self._tell(order)
        if told_first:
            self._pay(order, MOBILE)
            await self._notices.post(order.notice)
        return {
            "order_tracking_id": order.tracking_id,
            "merchant_reference": order.reference,
            "redirect_url": f"{page}/{order.tracking_id}?OrderTrackingId={order.tracking_id}",
            "error": None,
            "status": "200",
        }

    def status(self, account: PesapalAccount, tracking_id: str, fault: str) -> Json:
        """Raises PesapalError."""
        order = self._of(account, tracking_id)
        return _told(order, fault or order.twist)

    def cancel(self, account: PesapalAccount, body: Json) -> Json:
        """Raises PesapalError."""
        order = self._of(account, str(body.get("order_tracking_id")))
        if not order.open:
            return {"status": "500", "message": "The order can not be cancelled."}
        order.canceled = True
        self._tell(order)
        return {"status": "200", "message": "Order successfully cancelled."}

    def refund(self, account: PesapalAccount, body: Json) -> Json:
        """Received, and done once the merchant agrees. Raises PesapalError."""
        code = str(body.get("confirmation_code"))
        paid = [each for each in self.all() if each.account is account and each.receipt == code]
        if not paid or not body.get("username") or not body.get("remarks"):
            raise PesapalError("invalid_api_request_parameters", "", 200, "invalid_request_error")
        order, amount = paid[0], _decimal(body.get("amount"))
        if order.refund is not None or order.code != COMPLETED:
            return {"status": "500", "message": "Refund request has been received already"}
        part = amount is not None and 0 < amount < order.amount
        if amount != order.amount and not (part and order.method == CARD):
            return {"status": "500", "message": "The amount can not be refunded"}
        order.refund = "asked"
        self._tell(order)
        return {"status": "200", "message": "Refund request successfully"}

    # --- what the customer and the merchant do

    def act(self, order: Order, how: str) -> bool:
        """On the page; False where it is closed or paid."""
        if not order.open:
            return False
        fault = self._stage.faults.take_name("pesapal.outcome")
        if how in (MOBILE, CARD) and fault not in ("fail", "cancel", "abandon"):
            order.twist = fault
            self._pay(order, how)
        elif how == "cancel" or fault == "cancel":
            return True  # nothing is told: the order stays as it is
        elif fault != "abandon":
            order.code, order.method, order.why = FAILED, MOBILE, "request_terminated_by_user"
        self._tell(order)
        if order.code != INVALID:
            self._stage.wire.start(self._notices.post(order.notice))
        return True

    def answer(self, tracking_id: str, outcome: str) -> bool:
        """A refund that waits: agreed to, or not; or a payment taken back by Pesapal itself. False where
        there is none."""
        order = self.find(tracking_id)
        waits = order is not None and order.refund == "asked"
        back = (outcome == "succeed" and waits) or outcome == "give_back"
        if order is None or order.code != COMPLETED or not (waits or back):
            return False
        if back:
            order.code, order.refund = REVERSED, "done"
            self._stage.wire.start(self._notices.post(order.notice))
        else:
            order.refund = "refused"
        self._tell(order)
        return True

    def view(self, order: Order) -> Json:
        return {
            "id": order.tracking_id,
            "merchant": order.account.merchant,
            "reference": order.reference,
            "amount": f"{order.amount}",
            "currency": order.currency,
            "description": order.description,
            "at": int(order.at.timestamp() * 1000),
            "state": "canceled" if order.canceled else WORDS[order.code].lower(),
            "receipt": order.receipt,
            "refund": order.refund,
        }

    def refund_view(self, order: Order) -> Json:
        """As payouts of M-Pesa are shown."""
        done = order.refund != "asked"
        return {
            "id": order.tracking_id,
            "phone": None,
            "number": f"refund of {order.receipt}",
            "merchant": order.account.merchant,
            "amount": f"{order.amount}",
            "at": int(order.at.timestamp() * 1000),
            "state": "done" if done else "queued",
            "code": ("0" if order.code == REVERSED else order.refund) if done else None,
            "description": WORDS[order.code],
            "receipt": order.receipt if order.code == REVERSED else "",
        }

    # --- inside

    def _checked(self, account: PesapalAccount, body: Json) -> Order:
        reference, amount, currency = body.get("id"), body.get("amount"), body.get("currency")
        wrong = PesapalError("invalid_api_request_parameters", "", 500, "invalid_request_error")
        if not isinstance(reference, str) or ID.fullmatch(reference) is None:
            raise wrong
        if isinstance(amount, bool) or not isinstance(amount, int | float) or amount <= 0:
            raise wrong
        description, billing = body.get("description"), body.get("billing_address")
        if not isinstance(description, str) or not 0 < len(description) <= _LONGEST_DESCRIPTION:
            raise wrong
        if not isinstance(billing, dict) or not (billing.get("phone_number") or billing.get("email_address")):
            raise wrong
        if not isinstance(body.get("callback_url"), str):
            raise wrong
        if currency not in account.currencies:
            raise PesapalError("invalid_currency", "The currency is not enabled for this merchant")
        if any(each.account is account and each.reference == reference for each in self.all()):
            raise PesapalError("duplicate_order", "Duplicate merchant reference")
        return Order(
            account=account,
            tracking_id=self._stage.ids.uuid(),
            reference=reference,
            amount=Decimal(str(amount)),
            currency=str(currency),
            description=description,
            callback_url=body["callback_url"],
            cancellation_url=str(body.get("cancellation_url") or body["callback_url"]),
            ipn=self._notices.known(account, body.get("notification_id")),
            phone=str(billing.get("phone_number") or ""),
            at=self._stage.world.now(),
        )

    def _pay(self, order: Order, how: str) -> None:
        order.code, order.method, order.why = COMPLETED, how, ""
        order.receipt = self._stage.ids.receipt()
        last = order.phone[-5:] or "45678"
        order.payer = f"2547xxx{last}" if how == MOBILE else "4761XXXXXXXX0010"

    def _of(self, account: PesapalAccount, tracking_id: str) -> Order:
        order = self.find(tracking_id)
        if order is None or order.account is not account:
            raise PesapalError("invalid_order_tracking_id", "Invalid order tracking id")
        return order

    def _tell(self, order: Order) -> None:
        self._stage.feed.tell("order", self.view(order))
        if order.refund is not None:
            self._stage.feed.tell("payout", self.refund_view(order))


def _decimal(value: object) -> Decimal | None:
    try:
        return Decimal(str(value))
    except ArithmeticError:
        return None


def _told(order: Order, twist: str) -> Json:
    """Its status; one that nobody has paid yet is told as an error."""
    method = {MOBILE: "MpesaKE", CARD: "Visa"}.get(order.method, "")
    told: Json = {
        "payment_method": method if order.code != INVALID else "",
        "amount": float(order.amount),
        "created_date": f"{order.at.astimezone(EAT):%Y-%m-%dT%H:%M:%S}.43",
        "confirmation_code": order.receipt,
        "order_tracking_id": order.tracking_id,
        "payment_status_description": WORDS[order.code],
        "description": None,
        "message": "Request processed successfully",
        "payment_account": order.payer,
        "call_back_url": f"{order.callback_url}?OrderTrackingId={order.tracking_id}",
        "status_code": order.code,
        "merchant_reference": order.reference,
        "account_number": None,
        "payment_status_code": order.why,
        "currency": order.currency,
        "error": {"error_type": None, "code": None, "message": None},
        "status": "200",
    }
    if order.code == INVALID:
        error = {
            "error_type": "api_error",
            "code": "payment_details_not_found",
            "message": "Pending Payment",
            "call_back_url": None,
        }
        return told | {"error": error, "status": "500", "message": "Pending Payment"}
    if twist == "other_amount":
        told["amount"] += 1
    return told | _TWISTS.get(twist, {})


_TWISTS: dict[str, Json] = {
    "unheard": {"status_code": 7, "payment_status_description": "Settling"},
    "contradictory": {"payment_status_description": "Failed"},
    "denied": {"status_code": FAILED, "payment_status_description": WORDS[FAILED]},
    "other_order": {"merchant_reference": "another-order"},
    "other_currency": {"currency": "USD"},
}
