"""Dynamic QR: a picture that the M-PESA app scans, and pays what is in it.

https://developer.safaricom.co.ke/apis/DynamicQRCode. The code of success differs from page to page ("00", or
an id): what counts is that a picture came. `PB` is a paybill, whose account is `RefNo`.
"""

import base64
import binascii

from services.money import Money
from services.providers.base import Drawn, Misconfigured, NotSent, Unknown
from services.providers.bodies import legible
from services.providers.daraja_calls import Call, Reply, judge
from services.providers.daraja_client import Daraja

DRAW = Call(
    "/mpesa/qrcode/v1/generate",
    frozenset({"merchantname", "trxcode", "cpi", "size"}),
    forbidden="ask Safaricom to enable Dynamic QR for the app",
)
_MOST_NAME, _PIXELS = 22, "500"
_PNG = b"\x89PNG\r\n\x1a\n"


async def draw(daraja: Daraja, paybill: str, merchant: str, number: str, amount: Money) -> Drawn:
    """The picture. Nothing is refused for the customer's sake: what is wrong is a setting, or unknown."""
    body = {
        "MerchantName": legible(merchant)[:_MOST_NAME].strip(),
        "RefNo": number,
        "Amount": str(int(amount.decimal)),
        "TrxCode": "PB",
        "CPI": paybill,
        "Size": _PIXELS,
    }
    reply = await daraja.post(DRAW, body)
    if not isinstance(reply, Reply):
        return reply
    picture = _decoded(reply.body.get("QRCode"))
    if picture is not None:
        return picture
    answer = judge(DRAW, reply)
    return answer if isinstance(answer, Misconfigured | NotSent) else Unknown(str(reply))


def _decoded(told: object) -> bytes | None:
    if not isinstance(told, str):
        return None
    try:
        picture = base64.b64decode(told, validate=True)
    except (binascii.Error, ValueError):
        return None
    return picture if picture.startswith(_PNG) else None
