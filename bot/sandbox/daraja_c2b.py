"""C2B: the addresses that a merchant has registered, and what is told there of each payment that comes in,
asked for by a prompt or not.

Source: https://developer.safaricom.co.ke/apis/CustomerToBusiness, version 2. Production takes the addresses
of a shortcode once; so does this. No page shows the words of its refusal.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from bot.sandbox import daraja_checks as checks
from bot.sandbox.daraja_callbacks import Callbacks, Letter, stamp
from bot.sandbox.daraja_checks import DarajaError
from bot.sandbox.faults import Fault
from bot.sandbox.money_box import MoneyBox
from bot.sandbox.stage import Stage
from bot.sandbox.world import DarajaApp, Json


@dataclass(frozen=True, slots=True)
class Paid:
    """`account` is whatever the customer typed, or what a prompt named."""

    app: DarajaApp
    receipt: str
    number: str
    amount: int
    account: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Addresses:
    confirmation: str
    validation: str


class C2b:
    def __init__(self, stage: Stage, callbacks: Callbacks, boxes: MoneyBox) -> None:
        self._stage, self._callbacks, self._boxes = stage, callbacks, boxes
        self._registered: dict[str, Addresses] = {}

    def registered(self, app: DarajaApp) -> Addresses | None:
        return self._registered.get(app.till or app.shortcode)

    def take_out(self, app: DarajaApp) -> None:
        """As somebody does in the portal."""
        self._registered.pop(app.till or app.shortcode, None)

    async def register(self, app: DarajaApp, body: Json, _fault: str) -> Json:
        shortcode = checks.text(body, "ShortCode", 10)
        if shortcode not in (app.shortcode, app.till):
            raise checks.bad("ShortCode")
        if body.get("ResponseType") not in ("Completed", "Cancelled"):
            raise checks.bad("ResponseType")
        urls = Addresses(*(_address(body, field) for field in ("ConfirmationURL", "ValidationURL")))
        if self._registered.get(shortcode, urls) != urls:
            raise DarajaError(500, "500.003.1001", "URLs are already registered")
        self._registered[shortcode] = urls
        return {
            "OriginatorCoversationID": self._stage.ids.request(),
            "ResponseCode": "0",
            "ResponseDescription": "Success",
        }

    def tell(self, paid: Paid) -> None:
        """Soon, and whether or not anybody listens."""
        urls = self.registered(paid.app)
        if urls is None:
            return
        fault = self._stage.faults.take("c2b.callback")
        self._stage.wire.start(self._tell(urls, paid, fault))

    async def _tell(self, urls: Addresses, paid: Paid, fault: Fault | None) -> None:
        await asyncio.sleep(0)  # whoever pays has it behind them first
        funds = self._boxes.of(paid.app).working
        if fault and fault.name == "asks":
            question = Letter(urls.validation, _told(paid, funds=None), f"may {paid.amount} be paid?")
            await self._callbacks.send(question)
        told = _told(paid, funds)
        if fault and fault.name == "other_amount":  # somebody who has learnt the address makes it up
            told["TransAmount"] = f"{paid.amount + 1}.00"
        if fault and fault.name == "forged":
            told["TransID"] = self._stage.ids.receipt()
        what = f"{paid.amount} paid to {paid.account or 'no account'}"
        await self._callbacks.send(Letter(urls.confirmation, told, what), fault)


def _address(body: Json, field: str) -> str:
    url = checks.text(body, field)
    if not urlsplit(url).scheme.startswith("http") or any(word in url.lower() for word in checks.FORBIDDEN):
        raise checks.bad(field)
    return url


def _told(paid: Paid, funds: int | None) -> Json:
    return {
        "TransactionType": "Buy Goods" if paid.app.till else "Pay Bill",
        "TransID": paid.receipt,
        "TransTime": stamp(paid.at),
        "TransAmount": f"{paid.amount}.00",
        "BusinessShortCode": paid.app.till or paid.app.shortcode,
        "BillRefNumber": "" if paid.app.till else paid.account,
        "InvoiceNumber": "",
        "OrgAccountBalance": "" if funds is None else f"{funds}.00",
        "ThirdPartyTransID": "",
        "MSISDN": f"{paid.number[:4]} ***** {paid.number[-3:]}",
        "FirstName": "JOHN",
        "MiddleName": "",
        "LastName": "",
    }
