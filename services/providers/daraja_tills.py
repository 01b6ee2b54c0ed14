"""Tills: what M-Pesa pays to another business (B2B).

https://developer.safaricom.co.ke/apis/BusinessBuyGoods. Daraja takes no id of ours for it and gives one of
its own, so that nothing guards against paying twice, and one whose answer is lost can be asked about by no
name: the service sends one at a time, and none again. It is paid from the working account, which customers'
payments come into.
"""

import re
from collections.abc import Mapping

from services.news import Unpaid
from services.providers.abilities import Payout
from services.providers.base import Accepted, Answer, Refused, Unknown
from services.providers.bodies import id_of, legible
from services.providers.daraja_calls import TILL, Reply, judge
from services.providers.daraja_client import Daraja
from services.providers.mpesa_settings import MpesaSettings

_TILL = re.compile(r"[0-9]{5,9}", re.ASCII)
_SHORTCODE = "4"
_RECEIVERS = {"shortcode": _SHORTCODE, "till": "2"}
_REMARKS, _REFERENCE = 100, 13


async def pay(
    daraja: Daraja, initiated: Mapping[str, str], settings: MpesaSettings, payout: Payout, shillings: str
) -> Answer:
    """Send to details["till_number"]. The reference of `Accepted` is Daraja's own, which a query takes."""
    till = payout.details.get("till_number", "")
    if _TILL.fullmatch(till) is None:
        return Refused(Unpaid.RECEIVER, "not a till that B2B reaches")
    remarks = legible(payout.remarks)[:_REMARKS]
    body = {
        **initiated,
        "CommandID": "BusinessBuyGoods",
        "SenderIdentifierType": _SHORTCODE,
        "RecieverIdentifierType": _RECEIVERS[settings.b2b_receiver_type],  # their spelling
        "Amount": shillings,
        "PartyA": settings.till_paying_shortcode,
        "PartyB": till,
        "AccountReference": payout.attempt_id.hex[-_REFERENCE:],
        "Remarks": remarks if len(remarks) > 1 else "Payout",
        "QueueTimeOutURL": payout.timeout_url,
        "ResultURL": payout.callback_url,
        "Occassion": "Payout",  # their spelling
    }
    reply = await daraja.post(TILL, body)
    if not isinstance(reply, Reply):
        return reply
    if not reply.accepted:
        return judge(TILL, reply)
    originator = id_of(reply.body.get("OriginatorConversationID"))
    conversation = id_of(reply.body.get("ConversationID"))
    if originator is None:
        return Unknown("accepted without an OriginatorConversationID")
    return Accepted(originator, conversation)
