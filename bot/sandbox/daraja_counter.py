"""Counter: customers who pay to the shortcode by themselves, without being asked on their phones; and the
list of what was paid in 48 hours.

Source: https://developer.safaricom.co.ke/apis/PullTransactions.
"""

from datetime import datetime, timedelta

from bot.sandbox import daraja_checks as checks
from bot.sandbox.daraja_c2b import C2b, Paid
from bot.sandbox.daraja_callbacks import NAIROBI
from bot.sandbox.daraja_prompts import Prompts
from bot.sandbox.money_box import MoneyBox
from bot.sandbox.stage import Stage
from bot.sandbox.world import DarajaApp, Json

ROWS = 50  # of a page
KEPT = timedelta(hours=48)
_STAMP = "%Y-%m-%d %H:%M:%S"


class Counter:
    def __init__(self, stage: Stage, boxes: MoneyBox, prompts: Prompts, c2b: C2b) -> None:
        self._stage, self._boxes, self._prompts, self._c2b = stage, boxes, prompts, c2b
        self._paid: list[Paid] = []

    def reset(self) -> None:
        self._paid.clear()

    def pay(self, app: DarajaApp, number: str, amount: int, account: str) -> str:
        """The receipt."""
        receipt, now = self._stage.ids.receipt(), self._stage.world.now()
        paid = Paid(app, receipt, number.lstrip("+"), amount, account, now)
        self._paid.append(paid)
        self._boxes.collected(app, amount)
        self._boxes.sms(number.lstrip("+"), f"{receipt} Confirmed. Ksh{amount:,}.00 sent to {app.merchant}.")
        self._c2b.tell(paid)
        return receipt

    def find(self, app: DarajaApp, receipt: str) -> Paid | None:
        """By themselves."""
        return next((each for each in self._paid if each.app is app and each.receipt == receipt), None)

    def all(self, app: DarajaApp) -> list[Paid]:
        """By prompts, and by themselves."""
        asked = [
            Paid(app, each.receipt, each.number, each.amount, each.reference, each.done or each.at)
            for each in self._prompts.all()
            if each.app is app and each.code == "0"
        ]
        by_themselves = (each for each in self._paid if each.app is app)
        return sorted([*asked, *by_themselves], key=lambda each: (each.at, each.receipt))

    async def pull(self, app: DarajaApp, body: Json, _fault: str) -> Json:
        shortcode = checks.text(body, "ShortCode", 10)
        if shortcode not in (app.shortcode, app.till):
            raise checks.bad("ShortCode")
        since, until = self._moment(body, "StartDate"), self._moment(body, "EndDate")
        offset = checks.text(body, "OffSetValue", 10)
        if not offset.isdecimal():
            raise checks.bad("OffSetValue")
        since = max(since, self._stage.world.now() - KEPT)
        rows = [_row(each) for each in self.all(app) if since <= each.at <= until]
        page = rows[int(offset) : int(offset) + ROWS]
        told = {"ResponseRefID": self._stage.ids.request(), "ResponseMessage": "Success"}
        if not page:
            return told | {"ResponseCode": "1001", "Response": "[[]]"}
        return told | {"ResponseCode": "1000", "Response": [page]}

    def _moment(self, body: Json, field: str) -> datetime:
        try:
            return datetime.strptime(checks.text(body, field), _STAMP).replace(tzinfo=NAIROBI)
        except ValueError:
            raise checks.bad(field) from None


def _row(paid: Paid) -> Json:
    return {
        "transactionId": paid.receipt,
        "trxDate": paid.at.astimezone(NAIROBI).isoformat(timespec="microseconds"),
        "msisdn": int(paid.number),
        "sender": "MPESA",
        "transactiontype": "c2b-buy-goods-debit" if paid.app.till else "c2b-pay-bill-debit",
        "billreference": paid.account,
        "amount": f"{paid.amount}.00",
        "organizationname": paid.app.merchant,
    }
