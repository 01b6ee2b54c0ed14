"""Reversals: an M-Pesa payment given back to the customer who made it.

https://developer.safaricom.co.ke/apis/Reversal. Of what customers paid only; what was sent to them cannot be
reversed. Daraja takes no id of ours, so nothing but the payment's own state guards against a second one: it
is asked for once, and what became of it is asked by the payment's receipt where its answer was lost. Its
Amount is that of the payment: a part is never reversed here.
"""

from collections.abc import Mapping

from services.providers.base import Accepted, Answer, Unknown
from services.providers.bodies import id_of, legible
from services.providers.daraja_calls import PAYOUT_QUERY, REVERSAL, Reply, judge
from services.providers.daraja_client import Daraja
from services.providers.refunds import Refund

_REMARKS = 100
_RECEIVER_OF_A_REVERSAL = "11"


async def reverse(
    daraja: Daraja, initiated: Mapping[str, str], shortcode: str, refund: Refund, shillings: str
) -> Answer:
    """The reference of `Accepted` is the reversal's OriginatorConversationID, which a query takes."""
    remarks = legible(refund.remarks)[:_REMARKS]
    body = {
        **initiated,
        "CommandID": "TransactionReversal",
        "TransactionID": refund.receipt,
        "Amount": shillings,
        "ReceiverParty": shortcode,
        "RecieverIdentifierType": _RECEIVER_OF_A_REVERSAL,  # their spelling
        "ResultURL": refund.callback_url,
        "QueueTimeOutURL": refund.timeout_url,
        "Remarks": remarks if len(remarks) > 1 else "Refund",
        "Occasion": "Refund",
    }
    reply = await daraja.post(REVERSAL, body)
    if not isinstance(reply, Reply):
        return reply
    if not reply.accepted:
        return judge(REVERSAL, reply)
    originator = id_of(reply.body.get("OriginatorConversationID"))
    conversation = id_of(reply.body.get("ConversationID"))
    if originator is None:
        return Unknown("accepted without an OriginatorConversationID")
    return Accepted(originator, conversation)


async def query(
    daraja: Daraja,
    initiated: Mapping[str, str],
    shortcode: str,
    subject: Mapping[str, str],
    urls: tuple[str, str],
) -> Answer:
    """Ask for the status of a transaction: {"OriginalConversationID": ...} or {"TransactionID": ...}. `urls`:
    of the answer and of a timeout. The reference of `Accepted` is the query's ConversationID."""
    body = {
        **initiated,
        **subject,
        "CommandID": "TransactionStatusQuery",
        "PartyA": shortcode,
        "IdentifierType": "4",  # a shortcode
        "ResultURL": urls[0],
        "QueueTimeOutURL": urls[1],
        "Remarks": "Status",
        "Occasion": "Status",
    }
    reply = await daraja.post(PAYOUT_QUERY, body)
    if not isinstance(reply, Reply):
        return reply
    if not reply.accepted:
        return judge(PAYOUT_QUERY, reply)
    conversation = id_of(reply.body.get("ConversationID"))
    if conversation is None:
        return Unknown("accepted without a ConversationID")
    return Accepted(conversation, id_of(reply.body.get("OriginatorConversationID")))
