"""Dynamic QR: a picture that says what its payment would be. Ours is plain text: how M-Pesa writes it is
published nowhere.

Source: https://developer.safaricom.co.ke/apis/DynamicQRCode.
"""

import base64
import io

import segno

from bot.sandbox import daraja_checks as checks
from bot.sandbox.stage import Stage
from bot.sandbox.world import DarajaApp, Json

_KINDS = ("BG", "WA", "PB", "SM", "SB")


class Codes:
    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    async def draw(self, app: DarajaApp, body: Json, fault: str) -> Json:
        checks.text(body, "MerchantName", 22)
        reference, kind = checks.text(body, "RefNo", 12), checks.text(body, "TrxCode", 2)
        amount, payee = checks.amount(body), checks.text(body, "CPI", 12)
        size = checks.text(body, "Size", 4)
        if kind not in _KINDS:
            raise checks.bad("TrxCode")
        if payee not in (app.shortcode, app.till):
            raise checks.bad("CPI")
        if not size.isdecimal():
            raise checks.bad("Size")
        picture = io.BytesIO()
        segno.make_qr(f"{kind} {payee} {reference} {amount}").save(picture, kind="png", scale=8, border=4)
        told = {
            "ResponseCode": "00",
            "RequestID": self._stage.ids.request(),
            "ResponseDescription": "QR Code Successfully Generated.",
        }
        if fault == "broken":
            return told | {"QRCode": "iVBORw0KGgo"}
        return told | {"QRCode": base64.b64encode(picture.getvalue()).decode()}
