"""Checks: what Daraja accepts of a request, its errors, and how it opens a SecurityCredential.

Source: https://developer.safaricom.co.ke/apis (M-Pesa Express, Business to Customer, Reversals,
Transaction Status, Errors).
"""

import base64
import binascii
import hmac
import re
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15

from bot.sandbox.world import DarajaApp, Json

MOST = 250_000  # shillings in one movement
PHONE = re.compile(r"254(7|1)\d{8}")
FORBIDDEN = ("m-pesa", "mpesa", "safaricom", "exe", "cmd", "sql", "query")
CREDENTIAL_LENGTH = 344  # base64 of the 256 bytes that RSA of 2048 bits makes


class DarajaError(Exception):
    """An answer of Daraja that is an error: HTTP `status` and its `errorCode`."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code

    def body(self, request_id: str) -> Json:
        return {"requestId": request_id, "errorCode": self.code, "errorMessage": str(self)}


def bad(field: str) -> DarajaError:
    """Daraja's error about one field."""
    return DarajaError(400, "400.002.02", f"Bad Request - Invalid {field}")


def text(body: Json, field: str, most: int = 200, least: int = 1, name: str | None = None) -> str:
    """A string (or a whole number, which Daraja takes for one) of a length. Raises DarajaError."""
    value = body.get(field)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not least <= len(value.strip()) <= most or len(value) > most:
        raise bad(name or field)
    return value


def amount(body: Json, least: int = 1, most: int = MOST) -> int:
    """Whole shillings. Raises DarajaError."""
    digits = text(body, "Amount", 9)
    if re.fullmatch(r"[0-9]+", digits) is None or not least <= int(digits) <= most:
        raise bad("Amount")
    return int(digits)


def phone(body: Json, field: str) -> str:
    """Raises DarajaError."""
    number = text(body, field, 12)
    if PHONE.fullmatch(number) is None:
        raise bad(field)
    return number


def url(body: Json, field: str) -> str:
    """An address that Daraja would call: none of its forbidden words in it. Raises DarajaError."""
    address = text(body, field, 500)
    if not address.startswith(("http://", "https://")) or any(word in address.lower() for word in FORBIDDEN):
        raise bad(field)
    return address


def password(body: Json, app: DarajaApp) -> None:
    """Password = base64(shortcode + passkey + timestamp). Raises DarajaError."""
    stamp = text(body, "Timestamp", 14)
    try:
        if len(stamp) != 14 or not stamp.isdecimal():  # noqa: PLR2004  YYYYMMDDHHmmss
            raise bad("Timestamp")
        datetime.strptime(stamp, "%Y%m%d%H%M%S")  # noqa: DTZ007  only its form is asked
    except ValueError:
        raise bad("Timestamp") from None
    right = base64.b64encode(f"{app.shortcode}{app.passkey}{stamp}".encode())
    if not hmac.compare_digest(right, text(body, "Password").encode()):
        raise DarajaError(500, "500.001.1001", "Wrong credentials")


def prompt(body: Json, app: DarajaApp) -> None:
    """Raises DarajaError for an STK push that Daraja would refuse."""
    if text(body, "BusinessShortCode", 10) != app.shortcode:
        raise DarajaError(500, "500.001.1001", "Merchant does not exist")
    password(body, app)
    kind = body.get("TransactionType")
    if kind not in ("CustomerPayBillOnline", "CustomerBuyGoodsOnline"):
        raise bad("TransactionType")
    receiver = app.shortcode if kind == "CustomerPayBillOnline" else app.till or app.shortcode
    if text(body, "PartyB", 10) != receiver:
        raise bad("PartyB")
    amount(body)
    phone(body, "PartyA")
    phone(body, "PhoneNumber")
    url(body, "CallBackURL")
    text(body, "AccountReference", 12)
    text(body, "TransactionDesc", 13, name="Remarks")


def payout(body: Json, app: DarajaApp) -> None:
    """Raises DarajaError for a B2C request that Daraja would not queue."""
    text(body, "OriginatorConversationID", 100)
    text(body, "InitiatorName")
    credential_form(body)
    if body.get("CommandID") not in ("BusinessPayment", "SalaryPayment", "PromotionPayment"):
        raise bad("CommandID")
    amount(body, least=1, most=999_999_999)  # the limits are the result's to tell
    if text(body, "PartyA", 10) != app.shortcode:
        raise bad("PartyA")
    phone(body, "PartyB")
    text(body, "Remarks", 100, least=2)
    url(body, "QueueTimeOutURL")
    url(body, "ResultURL")


def till(body: Json, app: DarajaApp) -> None:
    """Raises DarajaError for a payment to a till (B2B) that Daraja would not queue."""
    text(body, "Initiator")
    credential_form(body)
    if body.get("CommandID") != "BusinessBuyGoods":
        raise bad("CommandID")
    if text(body, "SenderIdentifierType", 2) != "4":
        raise bad("SenderIdentifierType")
    if text(body, "RecieverIdentifierType", 2) not in ("2", "4"):
        raise bad("RecieverIdentifierType")
    amount(body, least=1, most=999_999_999)  # the limits are the result's to tell
    if text(body, "PartyA", 10) != app.shortcode:
        raise bad("PartyA")
    if re.fullmatch(r"[0-9]{5,9}", text(body, "PartyB", 10)) is None:
        raise bad("PartyB")
    text(body, "AccountReference", 13)
    text(body, "Remarks", 100, least=2)
    url(body, "QueueTimeOutURL")
    url(body, "ResultURL")


def reversal(body: Json, app: DarajaApp) -> None:
    """Raises DarajaError for a reversal that Daraja would not queue."""
    text(body, "Initiator")
    credential_form(body)
    if body.get("CommandID") != "TransactionReversal":
        raise bad("CommandID")
    text(body, "TransactionID", 30)
    amount(body)
    if text(body, "ReceiverParty", 10) != app.shortcode:
        raise bad("ReceiverParty")
    if text(body, "RecieverIdentifierType", 2) != "11":
        raise bad("RecieverIdentifierType")
    text(body, "Remarks", 100, least=2)
    url(body, "QueueTimeOutURL")
    url(body, "ResultURL")


def status_query(body: Json, app: DarajaApp) -> None:
    """Raises DarajaError for a transaction status query that Daraja would not queue."""
    text(body, "Initiator")
    credential_form(body)
    if body.get("CommandID") != "TransactionStatusQuery":
        raise bad("CommandID")
    if not (body.get("TransactionID") or body.get("OriginalConversationID")):
        raise bad("TransactionID")
    if text(body, "PartyA", 10) != app.shortcode:
        raise bad("PartyA")
    if text(body, "IdentifierType", 2) != "4":
        raise bad("IdentifierType")
    text(body, "Remarks", 100, least=2)
    url(body, "QueueTimeOutURL")
    url(body, "ResultURL")


def balance_query(body: Json, app: DarajaApp) -> None:
    """Raises DarajaError for an account balance query that Daraja would not queue."""
    text(body, "Initiator")
    credential_form(body)
    if body.get("CommandID") != "AccountBalance":
        raise bad("CommandID")
    if text(body, "PartyA", 10) != app.shortcode:
        raise bad("PartyA")
    if text(body, "IdentifierType", 2) != "4":
        raise bad("IdentifierType")
    text(body, "Remarks", 100, least=2)
    url(body, "QueueTimeOutURL")
    url(body, "ResultURL")


def credential_form(body: Json) -> None:
    """Raises DarajaError unless it could be an encrypted password; it is opened later."""
    credential = text(body, "SecurityCredential", CREDENTIAL_LENGTH, least=CREDENTIAL_LENGTH)
    try:
        base64.b64decode(credential, validate=True)
    except binascii.Error:
        raise bad("SecurityCredential") from None


def initiator_known(body: Json, field: str, app: DarajaApp) -> bool:
    """Whether name and encrypted password are the initiator's. M-Pesa looks when it has queued it."""
    if body.get(field) != app.initiator_name:
        return False
    try:
        opened = app.private_key.decrypt(base64.b64decode(body["SecurityCredential"]), PKCS1v15())
    except ValueError:
        return False
    return hmac.compare_digest(opened, app.initiator_password.encode())


def json_object(body: Any) -> Json:
    """Raises DarajaError."""
    if not isinstance(body, dict):
        raise DarajaError(400, "400.002.02", "Bad Request - Invalid Request Body")
    return body
