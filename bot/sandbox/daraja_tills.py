"""Tills: M-Pesa pays another business (B2B): queued at once, settled later, told by a result.

Source: https://developer.safaricom.co.ke/apis/BusinessBuyGoods. It takes no id of the merchant's, so that the
same request twice pays twice. It is paid out of the working account.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from bot.sandbox import daraja_checks as checks
from bot.sandbox.daraja_callbacks import Callbacks, Letter, described, result, stamp
from bot.sandbox.daraja_payouts import QUEUED
from bot.sandbox.money_box import MoneyBox
from bot.sandbox.stage import Stage
from bot.sandbox.world import DarajaApp, Json

LEAST = 10  # shillings
OUTCOMES = {"succeed": "0", "fail": "11", "receiver": "SFC_IC0003", "no_funds": "1", "initiator": "2001"}


@dataclass(slots=True)
class ToTill:
    """`code` is the result code, None while it is queued."""

    conversation: str
    originator: str
    app: DarajaApp
    till: str
    receiver_type: str
    amount: int
    reference: str
    result_url: str
    timeout_url: str
    receipt: str
    at: datetime
    initiator_known: bool
    outcome: str
    code: str | None = None
    done: datetime | None = None


class Tills:
    def __init__(self, stage: Stage, callbacks: Callbacks, boxes: MoneyBox) -> None:
        self._stage = stage
        self._callbacks = callbacks
        self._boxes = boxes
        self._sent: list[ToTill] = []

    def reset(self) -> None:
        self._sent.clear()

    def all(self) -> list[ToTill]:
        return list(self._sent)

    def find(self, conversation: str, receipt: str) -> ToTill | None:
        """By either conversation id, or by receipt."""
        for each in self._sent:
            if conversation in (each.originator, each.conversation) or receipt == each.receipt:
                return each
        return None

    async def pay(self, app: DarajaApp, body: Json, fault: str) -> Json:
        checks.till(body, app)
        sent = self._new(app, body)
        self._sent.append(sent)
        self._tell(sent)
        if fault == "callback_first":
            await self._callbacks.send(self._settle(sent))
        elif sent.outcome != "hang":
            self._stage.wire.start(self._process(sent))
        return {
            "OriginatorConversationID": sent.originator,
            "ConversationID": sent.conversation,
            **QUEUED,
        }

    def answer(self, originator: str, outcome: str) -> bool:
        """Ends one that hangs with one of OUTCOMES. False where it hangs no more."""
        sent = self.find(originator, "")
        if sent is None or sent.code is not None:
            return False
        sent.outcome = outcome
        self._send(self._settle(sent))
        return True

    def view(self, sent: ToTill) -> Json:
        """As payouts to phones are shown."""
        return {
            "id": sent.originator,
            "phone": None,
            "number": f"till {sent.till}",
            "merchant": sent.app.merchant,
            "amount": sent.amount,
            "at": int(sent.at.timestamp() * 1000),
            "state": "queued" if sent.code is None else "done",
            "code": sent.code,
            "description": described(sent.code) if sent.code else "",
            "receipt": sent.receipt if sent.code == "0" else "",
        }

    # --- inside --------------------------------------------------------------------------------------

    def _new(self, app: DarajaApp, body: Json) -> ToTill:
        now = self._stage.world.now()
        return ToTill(
            conversation=self._stage.ids.conversation(stamp(now)[:8]),
            originator=self._stage.ids.request(),
            app=app,
            till=str(body["PartyB"]),
            receiver_type=str(body["RecieverIdentifierType"]),
            amount=checks.amount(body, most=999_999_999),
            reference=str(body["AccountReference"]),
            result_url=body["ResultURL"],
            timeout_url=body["QueueTimeOutURL"],
            receipt=self._stage.ids.receipt(),
            at=now,
            initiator_known=checks.initiator_known(body, "Initiator", app),
            outcome=self._stage.faults.take_name("b2b.outcome"),
        )

    async def _process(self, sent: ToTill) -> None:
        await asyncio.sleep(self._stage.world.payout_delay)
        if sent.outcome.startswith("queue_timeout"):
            told = result((sent.conversation, sent.originator, ""), "1", None)
            await self._callbacks.send(Letter(sent.timeout_url, told, "till payout queue timeout"))
            await asyncio.sleep(self._stage.world.payout_delay)
        if sent.code is not None:
            return
        letter = self._settle(sent)
        if sent.outcome != "queue_timeout":
            self._send(letter)

    def _settle(self, sent: ToTill) -> Letter:
        sent.code, sent.done = self._verdict(sent), self._stage.world.now()
        parameters = self._paid(sent) if sent.code == "0" else None
        self._tell(sent)
        body = result((sent.conversation, sent.originator, sent.receipt), sent.code, parameters)
        # Of B2B its codes are strings, as on its page.
        body["Result"] |= {"ResultType": "0", "ResultCode": sent.code}
        return Letter(sent.result_url, body, f"payout of {sent.amount} to a till ends with {sent.code}")

    def _verdict(self, sent: ToTill) -> str:
        """The result code; the money has left the working account where it is 0."""
        if not sent.initiator_known:
            return OUTCOMES["initiator"]
        if sent.receiver_type != sent.app.receiver_type:
            return OUTCOMES["receiver"]
        if sent.amount < LEAST:
            return "2"
        code = OUTCOMES.get(sent.outcome, "0")
        if code == "0" and not self._boxes.left_working(sent.app, sent.amount):
            return OUTCOMES["no_funds"]
        return code

    def _paid(self, sent: ToTill) -> Json:
        working = self._boxes.of(sent.app).working
        before = working + sent.amount
        balance = f"{{Amount={{CurrencyCode=KES, MinimumAmount={working * 100}, BasicAmount={working}.00}}}}"
        return {
            "DebitAccountBalance": balance,
            "Amount": f"{sent.amount}.00",
            "DebitPartyAffectedAccountBalance": f"Working Account|KES|{before}.00|{working}.00|0.00|0.00",
            "TransCompletedTime": stamp(self._stage.world.now()),
            "DebitPartyCharges": "",
            "ReceiverPartyPublicName": f"{sent.till} - A SUPPLIER",
            "Currency": "KES",
            "InitiatorAccountCurrentBalance": balance,
        }

    def _send(self, letter: Letter) -> None:
        self._stage.wire.start(self._callbacks.send(letter, self._stage.faults.take("b2b.callback")))

    def _tell(self, sent: ToTill) -> None:
        self._stage.feed.tell("payout", self.view(sent))


def status_parameters(sent: ToTill) -> Json:
    """What a transaction status query tells of it."""
    words = {None: "Initiated", "0": "Completed"}
    at = stamp(sent.at)
    return {
        "DebitPartyName": f"{sent.app.shortcode} - {sent.app.merchant}",
        "CreditPartyName": f"{sent.till} - A SUPPLIER",
        "OriginatorConversationID": sent.originator,
        "InitiatedTime": at,
        "DebitAccountType": "Working Account",
        "DebitPartyCharges": "",
        "ReasonType": "Merchant to Merchant Payment via API",
        "TransactionStatus": words.get(sent.code, "Declined"),
        "FinalisedTime": at if sent.code is not None else "",
        "Amount": str(sent.amount),
        "ConversationID": sent.conversation,
        "ReceiptNo": sent.receipt,
    }
