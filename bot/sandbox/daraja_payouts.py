"""Payouts: M-Pesa Business to Customer (B2C v3): queued at once, settled later, told by a result."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from bot.sandbox import daraja_checks as checks
from bot.sandbox.daraja_callbacks import NAIROBI, Callbacks, Letter, described, result, stamp
from bot.sandbox.daraja_checks import DarajaError
from bot.sandbox.money_box import MoneyBox
from bot.sandbox.stage import Stage
from bot.sandbox.world import DarajaApp, Json

LEAST = 10  # shillings
OUTCOMES = {"succeed": "0", "fail": "2040", "no_funds": "1", "initiator": "2001"}
QUEUED = {"ResponseCode": "0", "ResponseDescription": "Accept the service request successfully."}


@dataclass(slots=True)
class Payout:
    """`code` is the result code, None while it is queued."""

    conversation: str
    originator: str
    app: DarajaApp
    number: str
    amount: int
    result_url: str
    timeout_url: str
    receipt: str
    at: datetime
    initiator_known: bool
    outcome: str = ""
    code: str | None = None
    done: datetime | None = None

    @property
    def ids(self) -> tuple[str, str, str]:
        return self.conversation, self.originator, self.receipt


class Payouts:
    def __init__(self, stage: Stage, callbacks: Callbacks, boxes: MoneyBox) -> None:
        self._stage = stage
        self._callbacks = callbacks
        self._boxes = boxes
        self._payouts: dict[str, Payout] = {}

    def reset(self) -> None:
        self._payouts.clear()

    def all(self) -> list[Payout]:
        return list(self._payouts.values())

    def find(self, originator: str, receipt: str) -> Payout | None:
        """By our or the merchant's conversation id, or by receipt."""
        for payout in self._payouts.values():
            if originator in (payout.originator, payout.conversation) or receipt == payout.receipt:
                return payout
        return None

    async def pay(self, app: DarajaApp, body: Json, fault: str) -> Json:
        checks.payout(body, app)
        originator = body["OriginatorConversationID"]
        if originator in self._payouts:
            raise DarajaError(500, "500.002.1001", "Duplicate OriginatorConversationID.")
        payout = self._new(app, body)
        self._payouts[originator] = payout
        self._tell(payout)
        if fault == "callback_first":
            await self._callbacks.send(self._settle(payout))
        elif payout.outcome != "hang":
            self._stage.wire.start(self._process(payout))
        return {
            "ConversationID": payout.conversation,
            "OriginatorConversationID": payout.originator,
            **QUEUED,
        }

    def answer(self, originator: str, outcome: str) -> bool:
        """Ends a payout that hangs with one of OUTCOMES. False where it hangs no more."""
        payout = self._payouts.get(originator)
        if payout is None or payout.code is not None or outcome not in OUTCOMES:
            return False
        payout.outcome = outcome
        self._send(self._settle(payout))
        return True

    def view(self, payout: Payout) -> Json:
        phone = self._stage.holder(payout.number)
        return {
            "id": payout.originator,
            "phone": phone.key if phone else None,
            "number": "+" + payout.number,
            "merchant": payout.app.merchant,
            "amount": payout.amount,
            "at": int(payout.at.timestamp() * 1000),
            "state": "queued" if payout.code is None else "done",
            "code": payout.code,
            "description": described(payout.code) if payout.code else "",
            "receipt": payout.receipt if payout.code == "0" else "",
        }

    # --- inside --------------------------------------------------------------------------------------

    def _new(self, app: DarajaApp, body: Json) -> Payout:
        now = self._stage.world.now()
        return Payout(
            conversation=self._stage.ids.conversation(f"{now.astimezone(NAIROBI):%Y%m%d}"),
            originator=body["OriginatorConversationID"],
            app=app,
            number=str(body["PartyB"]),
            amount=checks.amount(body, most=999_999_999),
            result_url=body["ResultURL"],
            timeout_url=body["QueueTimeOutURL"],
            receipt=self._stage.ids.receipt(),
            at=now,
            initiator_known=checks.initiator_known(body, "InitiatorName", app),
            outcome=self._stage.faults.take_name("b2c.outcome"),
        )

    async def _process(self, payout: Payout) -> None:
        await asyncio.sleep(self._stage.world.payout_delay)
        if payout.outcome.startswith("queue_timeout"):
            await self._callbacks.send(Letter(payout.timeout_url, _timed_out(payout), "payout queue timeout"))
            await asyncio.sleep(self._stage.world.payout_delay)
        if payout.code is not None:
            return
        letter = self._settle(payout)
        if payout.outcome != "queue_timeout":
            self._send(letter)

    def _settle(self, payout: Payout) -> Letter:
        payout.code, payout.done = self._verdict(payout), self._stage.world.now()
        parameters = self._paid(payout) if payout.code == "0" else None
        self._tell(payout)
        body = result(payout.ids, payout.code, parameters)
        return Letter(payout.result_url, body, f"payout of {payout.amount} ends with {payout.code}")

    def _verdict(self, payout: Payout) -> str:
        """The result code; the money has left the utility account where it is 0."""
        if not payout.initiator_known:
            return OUTCOMES["initiator"]
        if payout.amount < LEAST:
            return "2"
        if payout.amount > checks.MOST:
            return "3"
        code = OUTCOMES.get(payout.outcome, "0")
        if code == "0" and not self._boxes.paid_out(payout.app, payout.amount):
            return OUTCOMES["no_funds"]
        return code

    def _paid(self, payout: Payout) -> Json:
        now = self._stage.world.now().astimezone(NAIROBI)
        phone = self._stage.holder(payout.number)
        box = self._boxes.of(payout.app)
        self._boxes.sms(
            payout.number,
            f"{payout.receipt} Confirmed. You have received Ksh{payout.amount:,}.00 from "
            f"{payout.app.merchant} on {now:%d/%m/%y at %H:%M}.",
        )
        name = phone.name.upper() if phone else "SUBSCRIBER"
        return {
            "TransactionAmount": payout.amount,
            "TransactionReceipt": payout.receipt,
            "ReceiverPartyPublicName": f"{payout.number} - {name}",
            "TransactionCompletedDateTime": f"{now:%d.%m.%Y %H:%M:%S}",
            "B2CUtilityAccountAvailableFunds": float(box.utility),
            "B2CWorkingAccountAvailableFunds": float(box.working),
            "B2CRecipientIsRegisteredCustomer": "Y",
            "B2CChargesPaidAccountAvailableFunds": 0.0,
        }

    def _send(self, letter: Letter) -> None:
        self._stage.wire.start(self._callbacks.send(letter, self._stage.faults.take("b2c.callback")))

    def _tell(self, payout: Payout) -> None:
        self._stage.feed.tell("payout", self.view(payout))


def _timed_out(payout: Payout) -> Json:
    """No page shows this body. Its code is a misleading one on purpose: only the address tells a timeout."""
    told: Json = {
        "ResultType": 1,
        "ResultCode": 1,
        "ResultDesc": "The service request timed out in the queue.",
        "OriginatorConversationID": payout.originator,
        "ConversationID": payout.conversation,
        "TransactionID": "",
    }
    return {"Result": told}


def status_parameters(payout: Payout) -> Json:
    """What a transaction status query tells of it."""
    words = {None: "Initiated", "0": "Completed"}
    at = stamp(payout.at)
    return {
        "DebitPartyName": f"{payout.app.shortcode} - {payout.app.merchant}",
        "CreditPartyName": f"{payout.number} - SUBSCRIBER",
        "OriginatorConversationID": payout.originator,
        "InitiatedTime": at,
        "DebitAccountType": "Utility Account",
        "DebitPartyCharges": "",
        "ReasonType": "Business Payment to Customer via API",
        "TransactionStatus": words.get(payout.code, "Declined"),
        "FinalisedTime": at if payout.code is not None else "",
        "Amount": str(payout.amount),
        "ConversationID": payout.conversation,
        "ReceiptNo": payout.receipt,
    }
