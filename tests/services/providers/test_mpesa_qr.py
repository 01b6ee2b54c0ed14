"""Dynamic QR: what is asked for, and that only a picture is one."""

import base64
import json

import pytest

from services.money import Money
from services.providers.base import Misconfigured, NotSent, Unknown
from services.providers.mpesa_settings import MpesaSettings
from tests.services.providers.conftest import SECRETS
from tests.services.providers.stub_daraja import drops, recorded, says, says_raw

DRAW = "/mpesa/qrcode/v1/generate"
PNG = b"\x89PNG\r\n\x1a\nthe rest"
KES_500 = Money(500_00, "KES")


def told(picture, code="00"):
    return says_raw(json.dumps({"ResponseCode": code, "QRCode": picture}).encode(), 200)


async def draw(rig, merchant="Mama Njeri Duka"):
    return await rig.mpesa.draw(merchant, "K7Q2X0", KES_500)


@pytest.mark.parametrize("code", ["00", "AG_20191219_000043fdf61864fe9ff5", "0"])
async def test_the_picture_is_what_counts_and_no_code(rig, code):
    rig.stub.will(DRAW, told(base64.b64encode(PNG).decode(), code))
    assert await draw(rig) == PNG


async def test_what_is_asked_for_has_the_shape_of_the_page(rig):
    rig.stub.will(DRAW, told(base64.b64encode(PNG).decode()))
    await draw(rig, "Mama Njeri Duka, Kariakoo na Gikomba")
    (asked,) = rig.stub.asked[DRAW]
    assert asked.keys() == recorded("qr_request").keys()
    assert asked == {
        "MerchantName": "Mama Njeri Duka, Karia",
        "RefNo": "K7Q2X0",
        "Amount": "500",
        "TrxCode": "PB",
        "CPI": "174379",
        "Size": "500",
    }


@pytest.mark.parametrize("picture", [None, "", 7, "not base64!", base64.b64encode(b"GIF89a").decode()])
async def test_what_is_no_picture_is_none(rig, picture):
    rig.stub.will(DRAW, told(picture))
    assert isinstance(await draw(rig), Unknown)


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (says("error_payout_v3_not_authorised", 403), Misconfigured),
        (says("error_spike_arrest", 429), NotSent),
        (says("error_system_busy", 500), Unknown),
        (drops, Unknown),
    ],
)
async def test_why_there_is_none_is_said(rig, answer, kind):
    rig.stub.will(DRAW, answer)
    assert isinstance(await draw(rig), kind)


@pytest.mark.parametrize(
    ("more", "paybill"),
    [({"pull": True}, "600100"), ({}, None), ({"pull": True, "till": "600200"}, None)],
)
def test_it_is_offered_where_what_is_paid_is_certain_to_be_told(more, paybill):
    settings = MpesaSettings.model_validate(SECRETS | {"shortcode": "600100"} | more)
    assert settings.paybill == paybill
