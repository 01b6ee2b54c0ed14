"""Callbacks: what M-Pesa posts to the addresses that a request gave, and what can go wrong on the way.

Source: https://developer.safaricom.co.ke/apis; live bodies differ from its pages: `Balance` comes
without a value.
"""

import asyncio
import json
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from bot.sandbox.faults import Fault
from bot.sandbox.stage import Stage
from bot.sandbox.world import Json

NAIROBI = timezone(timedelta(hours=3))
ACCEPTED = "The service request is processed successfully."
DESCRIPTIONS = {
    "0": ACCEPTED,
    "1": "The balance is insufficient for the transaction.",
    "2": "Declined due to limit rule: less than the minimum transaction amount.",
    "3": "Declined due to limit rule: greater than the maximum transaction amount.",
    "11": "The DebitParty is in an invalid state.",
    "17": "Rule limited.",
    "1001": "Unable to lock subscriber, a transaction is already in process for the current subscriber.",
    "1019": "Transaction has expired.",
    "1025": "An error occurred while sending a push request.",
    "1032": "Request cancelled by user",
    "1037": "DS timeout user cannot be reached",
    "2001": "The initiator information is invalid.",
    "2040": "Credit party customer type (Unregistered or Registered Customer) can't be supported.",
    "4999": "The transaction is still under processing",
    "9999": "An error occurred while sending a push request.",
    "SFC_IC0003": "The receiver party is invalid.",
    "R000001": "The transaction has already been reversed.",
    "R000002": "The OriginalTransactionID is invalid.",
    "TP40153": "The initiator does not have permission for this operation.",
}


@dataclass(frozen=True, slots=True)
class Letter:
    """A callback on its way: `what` is the word of the event list for it."""

    url: str
    body: Json
    what: str


class Callbacks:
    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    async def send(self, letter: Letter, fault: Fault | None = None) -> None:
        """Posts it once, as Daraja does, unless the fault says otherwise."""
        if fault and fault.name == "lost":
            self._stage.log("mpesa", f"{letter.what}: callback lost", good=False)
            return
        if fault and fault.name == "late":
            await asyncio.sleep(fault.seconds)
        await self._post(letter)
        if fault and fault.name == "twice":
            await self._post(letter)

    async def _post(self, letter: Letter) -> None:
        body = json.dumps(letter.body).encode()
        status, took = await self._stage.wire.post(letter.url, body, {})
        answer = f"{status} in {took} ms" if status else "no answer"
        self._stage.log("mpesa", f"{letter.what}: {answer}", good=status == 200)  # noqa: PLR2004


def described(code: str) -> str:
    return DESCRIPTIONS.get(code, "The service request has failed.")


def number(code: str) -> int | str:
    """A result code as the callbacks carry it: a number where it is one."""
    return int(code) if code.isdecimal() else code


def stamp(at: datetime) -> str:
    return at.astimezone(NAIROBI).strftime("%Y%m%d%H%M%S")


def prompt_callback(ids: tuple[str, str], code: str, paid: tuple[int, str, str, datetime] | None) -> Json:
    """`ids`: MerchantRequestID and CheckoutRequestID; `paid`: amount, receipt, phone, when."""
    told: Json = {
        "MerchantRequestID": ids[0],
        "CheckoutRequestID": ids[1],
        "ResultCode": number(code),
        "ResultDesc": described(code),
    }
    if paid:
        amount, receipt, phone, at = paid
        items: list[Json] = [
            {"Name": "Amount", "Value": float(amount)},
            {"Name": "MpesaReceiptNumber", "Value": receipt},
            {"Name": "Balance"},
            {"Name": "TransactionDate", "Value": int(stamp(at))},
            {"Name": "PhoneNumber", "Value": int(phone)},
        ]
        told["CallbackMetadata"] = {"Item": items}
    return {"Body": {"stkCallback": told}}


def result(ids: tuple[str, str, str], code: str, parameters: Json | None) -> Json:
    """A result as B2C and queries get it. `ids`: ConversationID, OriginatorConversationID, TransactionID."""
    told: Json = {
        "ResultType": 0,
        "ResultCode": number(code),
        "ResultDesc": described(code),
        "OriginatorConversationID": ids[1],
        "ConversationID": ids[0],
        "TransactionID": ids[2],
        # One item is an object here, several would be a list.
        "ReferenceData": {"ReferenceItem": {"Key": "QueueTimeoutURL", "Value": "https://internal.invalid"}},
    }
    if parameters is not None:
        items = [{"Key": key, "Value": value} for key, value in parameters.items()]
        told["ResultParameters"] = {"ResultParameter": items}
    return {"Result": told}
