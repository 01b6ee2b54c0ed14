"""The emulated Daraja draws a picture of a payment."""

import base64

import pytest

URL = "/mpesa/qrcode/v1/generate"
ASKED = {
    "MerchantName": "MAMA NJERI",
    "RefNo": "K7Q2X0",
    "Amount": "500",
    "TrxCode": "PB",
    "CPI": "174379",
    "Size": "300",
}


async def test_a_picture_is_drawn(sandbox, logged_in):
    status, told = await sandbox.post(URL, ASKED, logged_in.token)
    assert (status, told["ResponseCode"]) == (200, "00")
    assert base64.b64decode(told["QRCode"]).startswith(b"\x89PNG")
    await sandbox.arm("qr.draw", "broken")
    assert len((await sandbox.post(URL, ASKED, logged_in.token))[1]["QRCode"]) < 20


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"MerchantName": ""}, "MerchantName"),
        ({"RefNo": None}, "RefNo"),
        ({"Amount": "0"}, "Amount"),
        ({"TrxCode": "XX"}, "TrxCode"),
        ({"CPI": "600966"}, "CPI"),
        ({"Size": "big"}, "Size"),
    ],
)
async def test_what_is_wrong_is_named(sandbox, logged_in, changes, named):
    status, told = await sandbox.post(URL, ASKED | changes, logged_in.token)
    assert (status, told["errorMessage"]) == (400, f"Bad Request - Invalid {named}")
