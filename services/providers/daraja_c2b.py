"""C2B: payments that customers make by themselves, told by M-Pesa at addresses that it was given once.

https://developer.safaricom.co.ke/apis/CustomerToBusiness. Version 2 masks the payer's number. In production a
shortcode's addresses are taken once, until somebody deletes them in the portal. `Completed`: a payment goes
through whether or not we answer. Nobody signs the calls, and a payment that a prompt asked for is told too.
"""

import re
from datetime import datetime

from services.money import Money
from services.news import Unpaid
from services.providers.base import Accepted, Answer, Pending, Refused, Report, Succeeded, Unreadable
from services.providers.bodies import Json, code_of, id_of, json_object
from services.providers.daraja_bodies import money_of
from services.providers.daraja_calls import Call, Reply, judge
from services.providers.daraja_client import Daraja
from services.providers.daraja_pull import NAIROBI, key_of, reference_of
from services.providers.listing import Kind, Line
from services.providers.mpesa_settings import MpesaSettings

REGISTER = Call(
    "/mpesa/c2b/v2/registerurl",
    frozenset({"shortcode", "businessshortcode", "confirmationurl", "validationurl", "responsetype"}),
    forbidden="ask Safaricom to enable C2B for the app",
)
_TAKEN = ("already registered", "duplicate")
_MASKED = re.compile(r"[*]+ ?([0-9]{1,4})|254[0-9]{5}([0-9]{4})")
_STAMP = "%Y%m%d%H%M%S"


async def register(daraja: Daraja, settings: MpesaSettings, told_at: str, asked_at: str) -> Answer:
    """Refused where the shortcode has addresses already."""
    shortcode = settings.till or settings.shortcode
    body = {
        "ShortCode": shortcode,
        "ResponseType": "Completed",
        "ConfirmationURL": told_at,
        "ValidationURL": asked_at,
    }
    reply = await daraja.post(REGISTER, body)
    if not isinstance(reply, Reply):
        return reply
    if reply.accepted:
        return Accepted(id_of(reply.body.get("OriginatorCoversationID")) or shortcode)  # their spelling
    if any(said in reply.message.lower() for said in _TAKEN):
        return Refused(Unpaid.PROVIDER, str(reply))
    return judge(REGISTER, reply)


def heard(about: str, body: bytes, settings: MpesaSettings) -> Report | None:
    """What came to one of these addresses: a payment that was made, or the question whether to take one, and
    that has been answered; None for any other address. Raises Unreadable, also of another shortcode."""
    match about:
        case "ipn":
            return _made(json_object(body) or {}, {settings.shortcode, settings.till})
        case "asked":
            return Report("other", frozenset(), Pending())
    return None


def _made(told: Json, shortcodes: set[str | None]) -> Report:
    receipt, amount = id_of(told.get("TransID")), money_of(told.get("TransAmount"))
    if receipt is None or amount is None:
        raise Unreadable("without a receipt or an amount")
    if code_of(told.get("BusinessShortCode")) not in shortcodes:
        raise Unreadable("about another shortcode")
    line = _line(told, receipt.upper(), amount)
    return Report("by_hand", frozenset({receipt}), Succeeded(receipt.upper(), amount), {"line": line})


def _line(told: Json, receipt: str, amount: Money) -> Line:
    try:
        at = datetime.strptime(code_of(told.get("TransTime")), _STAMP).replace(tzinfo=NAIROBI)
    except ValueError:
        raise Unreadable("without a time") from None
    return Line(
        key_of(receipt, amount),
        Kind.PAID,
        amount,
        at,
        receipt=receipt,
        reference=reference_of(told.get("BillRefNumber")),
        party=_party(code_of(told.get("MSISDN"))),
    )


def _party(told: str) -> str | None:
    """The last digits; "2547 ***** 126" has three of them, and of a hash there is nothing to show."""
    found = _MASKED.search(told)
    digits = (found[1] or found[2]) if found else None
    return digits and digits.rjust(12, "*")
