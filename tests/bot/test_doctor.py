"""What the doctor says of a tenant's providers, with its fix."""

from dataclasses import replace

import pytest

from bot.doctor import _providers
from services.facts import Shop
from services.ids import new_id
from services.people.tenants import Tenant
from tests.bot.market import SETTINGS

SHOP = Shop(name="Mama Njeri", currency="KES", country="KE", timezone="Africa/Nairobi")
TENANT = Tenant(
    id=new_id(),
    slug="mama-njeri",
    version=1,
    language="en",
    phone_number_id=None,
    shop=SHOP,
    access_token=None,
    providers={},
)
IN_UGANDA = SHOP.model_copy(update={"currency": "UGX"})


@pytest.mark.parametrize(
    ("parts", "found"),
    [
        ({"mpesa": SETTINGS}, []),
        ({}, [("warning", "customers cannot pay: no provider is set")]),
        ({"mpesa": SETTINGS | {"passkey": None}}, [("warning", "mpesa cannot collect: passkey missing")]),
        (
            {"mpesa": SETTINGS | {"initiator_name": None}},
            [("warning", "mpesa cannot pay out: initiator_name missing")],
        ),
        (
            {"mpesa": SETTINGS | {"shortcode": "none"}},
            [("broken", "the settings of mpesa are wrong: shortcode")],
        ),
    ],
)
def test_what_a_provider_lacks_is_found(parts, found):
    findings = list(_providers(replace(TENANT, providers=parts)))
    assert [(each.level, each.what) for each in findings] == found
    assert all(each.fix for each in findings)


def test_a_provider_of_another_money_is_of_no_use():
    (finding,) = _providers(replace(TENANT, shop=IN_UGANDA, providers={"mpesa": SETTINGS}))
    assert finding.what == "mpesa moves KES only, and its currency is UGX"
