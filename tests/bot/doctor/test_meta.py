"""What Meta says of a number, its token, and who is told of its messages; Meta is the emulated one."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from bot.doctor.meta import meta
from bot.http import open_session
from bot.parts import parts_of
from bot.sandbox.seed import SHOP, TEMPLATES
from bot.sandbox.server import emulators
from bot.sandbox.world import World
from bot.settings import Settings, WhatsAppSettings
from tests.bot.doctor.test_installation import KEY, TENANT
from tests.bot.market import NOWHERE

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
URL = "https://pay.shop.co.ke"
NUMBERED = replace(
    TENANT,
    phone_number_id=SHOP.phone_number_id,
    waba_id=SHOP.account_id,
    access_token=SHOP.access_token,
    templates={name: {"name": name, "language": "en"} for name in ("withdrawal_request", "payment_receipt")},
)


async def found(shop=SHOP, tenant=NUMBERED, secret="s", **world):
    told = {"callback_url": f"{URL}/webhooks/whatsapp"} | world
    play = World(
        NOWHERE, app_secret="s", shops=(shop,), phones=(), templates=TEMPLATES, now=lambda: NOW, **told
    )
    async with TestServer(emulators(play)) as server, open_session() as http:
        whatsapp = WhatsAppSettings(
            app_secret=SecretStr(secret), verify_token=SecretStr("y"), graph_url=str(server.make_url(""))
        )
        settings = Settings(secret_keys=SecretStr(KEY), whatsapp=whatsapp, public_url=URL)
        parts = parts_of(settings, lambda: NOW)
        try:
            return [each async for each in meta(parts, tenant, http)]
        finally:
            await parts.database.close()


def bad(findings):
    assert all(each.fix for each in findings if each.level != "good")
    return [(each.level, each.what) for each in findings if each.level != "good"]


async def test_where_all_is_well_it_says_what_it_looked_at():
    findings = await found()
    assert [each.what for each in findings] == [
        "its WhatsApp number and token are good; 2,000 people a day may be written to by templates",
        f"Meta tells us of messages and user_preferences, at {URL}/webhooks/whatsapp",
        "its templates are as they are sent",
    ]
    assert bad(findings) == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"quality": "RED"}, ("warning", "Meta calls the quality of its number RED")),
        (
            {"blocked": "The account is not paid for."},
            ("broken", "Meta lets its number send nothing: The account is not paid for."),
        ),
        (
            {"token_ends": int((NOW + timedelta(days=3)).timestamp())},
            ("warning", "its token expires at 2026-11-27 09:00 UTC"),
        ),
        (
            {"token_scopes": ("whatsapp_business_management",)},
            ("broken", "its token may not send: it lacks whatsapp_business_messaging"),
        ),
        (
            {"token_scopes": ("whatsapp_business_messaging",)},
            ("warning", "its token lacks whatsapp_business_management"),
        ),
        (
            {"told": False},
            (
                "broken",
                (
                    "our app is not subscribed to its WhatsApp Business account: "
                    "nobody hears what people write"
                ),
            ),
        ),
    ],
)
async def test_what_is_wrong_with_a_number_is_found_with_its_fix(changed, said):
    assert bad(await found(replace(SHOP, **changed))) == [said]


async def test_a_token_that_has_expired_is_refused():
    ended = replace(SHOP, token_ends=int((NOW - timedelta(days=1)).timestamp()))
    assert bad(await found(ended)) == [("broken", "Meta refuses its number or token (HTTP 401, code 190)")]


async def test_a_token_that_lives_on_for_long_is_told():
    lives = replace(SHOP, token_ends=int((NOW + timedelta(days=50)).timestamp()))
    assert "its token expires at 2027-01-13 09:00 UTC" in [each.what for each in await found(lives)]


@pytest.mark.parametrize(
    ("world", "said"),
    [
        (
            {"fields": ("messages",)},
            ("warning", "its webhook at Meta is not subscribed to the field user_preferences"),
        ),
        (
            {"fields": ("user_preferences",)},
            ("broken", "its webhook at Meta is not subscribed to the field messages"),
        ),
        ({"fields": ()}, ("broken", f"Meta has no webhook of ours: it must be {URL}/webhooks/whatsapp")),
        (
            {"callback_url": "https://old.shop.co.ke/webhooks/whatsapp"},
            (
                "broken",
                (
                    "Meta tells https://old.shop.co.ke/webhooks/whatsapp what people write, and not "
                    f"{URL}/webhooks/whatsapp"
                ),
            ),
        ),
    ],
)
async def test_what_meta_does_not_tell_us_is_found(world, said):
    assert bad(await found(**world)) == [said]


async def test_an_app_secret_that_is_another_is_found_and_one_of_two_is_enough():
    ((level, what),) = bad(await found(secret="wrong"))
    assert (level, what.partition(" (")[0]) == (
        "broken",
        "Meta refuses LIPACHAT_WHATSAPP__APP_SECRET for its app",
    )
    assert bad(await found(secret="new,s")) == []


async def test_another_account_is_told():
    found_of_another = bad(await found(tenant=replace(NUMBERED, waba_id="1")))
    assert [what.partition(" (")[0] for _, what in found_of_another] == [
        "Meta does not say who hears of its WhatsApp Business account",
        "its templates could not be looked at",
    ]


async def test_nothing_that_is_said_holds_a_token():
    texts = str([each.as_dict() for each in await found(replace(SHOP, told=False), secret="wrong")])
    assert SHOP.access_token not in texts
    assert "wrong" not in texts
