"""Reversals: M-Pesa gives a customer's payment back: queued at once, settled later, told by a result.

Source: https://developer.safaricom.co.ke/apis/Reversal. It takes no id of the merchant's. No page tells
what a part of the amount is answered by: here it is refused as a payment that is not known.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from bot.sandbox import daraja_checks as checks
from bot.sandbox.daraja_callbacks import Callbacks, Letter, result, stamp
from bot.sandbox.daraja_payouts import QUEUED
from bot.sandbox.daraja_prompts import Prompt, Prompts
from bot.sandbox.money_box import MoneyBox
from bot.sandbox.stage import Stage
from bot.sandbox.world import DarajaApp, Json

ALREADY, UNKNOWN = "R000001", "R000002"
OUTCOMES = {"succeed": "0", "fail": UNKNOWN, "no_funds": "1", "initiator": "2001"}


@dataclass(slots=True)
class Reversal:
    """`code` is the result code, None while it is queued."""

    conversation: str
    originator: str
    app: DarajaApp
    original: str
    amount: int
    result_url: str
    timeout_url: str
    receipt: str
    initiator_known: bool
    outcome: str
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """A payment that was given back, whoever has asked for it."""

    app: DarajaApp
    receipt: str
    original: str
    amount: int
    at: datetime


class Reversals:
    def __init__(self, stage: Stage, callbacks: Callbacks, boxes: MoneyBox, prompts: Prompts) -> None:
        self._stage = stage
        self._callbacks = callbacks
        self._boxes = boxes
        self._prompts = prompts
        self._asked: list[Reversal] = []
        self._done: list[Done] = []

    def reset(self) -> None:
        self._asked.clear()
        self._done.clear()

    def done(self, app: DarajaApp) -> list[Done]:
        return [each for each in self._done if each.app is app]

    def all(self) -> list[Reversal]:
        return list(self._asked)

    def find(self, conversation: str, app: DarajaApp) -> Reversal | None:
        """By either conversation id."""
        for each in self._asked:
            if each.app is app and conversation in (each.originator, each.conversation):
                return each
        return None

    async def reverse(self, app: DarajaApp, body: Json, fault: str) -> Json:
        checks.reversal(body, app)
        reversal = self._new(app, body)
        self._asked.append(reversal)
        if fault == "callback_first":
            await self._callbacks.send(self._settle(reversal))
        elif reversal.outcome != "hang":
            self._stage.wire.start(self._process(reversal))
        return {
            "OriginatorConversationID": reversal.originator,
            "ConversationID": reversal.conversation,
            **QUEUED,
        }

    def by_mpesa(self, receipt: str) -> bool:
        """M-Pesa gives a payment back by itself, as it does after a complaint: nobody is told. False where
        there is nothing to give back."""
        paid = self._paid(receipt)
        if paid is None or paid.reversed or not self._boxes.left_working(paid.app, paid.amount):
            return False
        self._gave(paid, self._stage.ids.receipt())
        return True

    # --- inside --------------------------------------------------------------------------------------

    def _new(self, app: DarajaApp, body: Json) -> Reversal:
        return Reversal(
            conversation=self._stage.ids.conversation(stamp(self._stage.world.now())[:8]),
            originator=self._stage.ids.request(),
            app=app,
            original=str(body["TransactionID"]),
            amount=checks.amount(body),
            result_url=body["ResultURL"],
            timeout_url=body["QueueTimeOutURL"],
            receipt=self._stage.ids.receipt(),
            initiator_known=checks.initiator_known(body, "Initiator", app),
            outcome=self._stage.faults.take_name("reversal.outcome"),
        )

    async def _process(self, reversal: Reversal) -> None:
        await asyncio.sleep(self._stage.world.payout_delay)
        if reversal.outcome.startswith("queue_timeout"):
            told = result((reversal.conversation, reversal.originator, ""), "1", None)
            await self._callbacks.send(Letter(reversal.timeout_url, told, "reversal queue timeout"))
            await asyncio.sleep(self._stage.world.payout_delay)
        if reversal.code is None:
            letter = self._settle(reversal)
            if reversal.outcome != "queue_timeout":
                fault = self._stage.faults.take("reversal.callback")
                await self._callbacks.send(letter, fault)

    def _settle(self, reversal: Reversal) -> Letter:
        paid = self._paid(reversal.original)
        reversal.code = self._verdict(reversal, paid)
        parameters = None
        if reversal.code == "0" and paid is not None:
            self._gave(paid, reversal.receipt)
            parameters = self._told(reversal, paid)
        body = result(
            (reversal.conversation, reversal.originator, reversal.receipt), reversal.code, parameters
        )
        return Letter(reversal.result_url, body, f"reversal of {reversal.original} ends with {reversal.code}")

    def _verdict(self, reversal: Reversal, paid: Prompt | None) -> str:
        if not reversal.initiator_known:
            return OUTCOMES["initiator"]
        if paid is None or paid.app.shortcode != reversal.app.shortcode or paid.amount != reversal.amount:
            return UNKNOWN
        if paid.reversed:
            return ALREADY
        code = OUTCOMES.get(reversal.outcome, "0")
        if code == "0" and not self._boxes.left_working(reversal.app, reversal.amount):
            return OUTCOMES["no_funds"]
        return code

    def _paid(self, receipt: str) -> Prompt | None:
        return next((each for each in self._prompts.all() if receipt and each.receipt == receipt), None)

    def _gave(self, paid: Prompt, receipt: str) -> None:
        paid.reversed = True
        self._done.append(Done(paid.app, receipt, paid.receipt, paid.amount, self._stage.world.now()))
        self._boxes.sms(
            paid.number,
            f"Transaction {paid.receipt} of Ksh{paid.amount:,}.00 to {paid.app.merchant} has been reversed.",
        )

    def _told(self, reversal: Reversal, paid: Prompt) -> Json:
        working = float(self._boxes.of(reversal.app).working)
        return {
            "DebitAccountBalance": f"Working Account|KES|{working:.2f}|{working:.2f}|0.00|0.00",
            "Amount": reversal.amount,
            "TransCompletedTime": int(stamp(self._stage.world.now())),
            "OriginalTransactionID": reversal.original,
            "Charge": 0,
            "CreditPartyPublicName": f"{paid.number} - SUBSCRIBER",
            "DebitPartyPublicName": f"{reversal.app.shortcode} - {reversal.app.merchant}",
        }


def status_parameters(reversal: Reversal) -> Json:
    """What a transaction status query tells of it."""
    words = {None: "Initiated", "0": "Completed"}
    return {
        "OriginatorConversationID": reversal.originator,
        "ConversationID": reversal.conversation,
        "TransactionStatus": words.get(reversal.code, "Declined"),
        "ReasonType": "Pay Utility Reversal",
        "Amount": str(reversal.amount),
        "ReceiptNo": reversal.receipt,
    }
