"""Webhooks, as operators see them and have them sent again."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from pydantic import SecretStr
from typer.testing import CliRunner

from bot.commands import webhooks
from bot.parts import CannotRun, Parts
from bot.settings import Settings, WhatsAppSettings
from main import app
from services.ids import new_id
from services.people.tenants import TenantBook
from services.store.bell import Bell
from services.store.schema import audit
from services.store.scope import OWNER
from services.webhooks import endpoints
from services.webhooks.deliveries import Outcome
from tests.bot.doctor.test_installation import KEY
from tests.services.business import Business
from tests.services.webhooks.listening import AWAY, Listening

URL = "https://shop.example/hooks?token=of-theirs"
GONE = Outcome(410, "http_410")


@pytest.fixture
async def business(database, vault):
    return await Business(database, vault).open()


@pytest.fixture
async def listening(business):
    return await Listening.at(business, URL)


@pytest.fixture
def parts(business):
    def clock():
        return business.now

    whatsapp = WhatsAppSettings(app_secret=SecretStr("x"), verify_token=SecretStr("y"))
    settings = Settings(secret_keys=SecretStr(KEY), whatsapp=whatsapp)
    book = TenantBook(business.database, business.vault, clock)
    return Parts(settings, business.database, business.vault, book, Bell(), clock)


async def replays(parts):
    async with parts.database.reading(OWNER) as connection:
        rows = sa.select(audit.c.actor, audit.c.channel, audit.c.target, audit.c.facts)
        return (await connection.execute(rows.where(audit.c.action == "webhook.replayed"))).all()


async def test_endpoints_are_listed_of_all_or_one_and_show_no_more_than_a_host(parts, business, listening):
    other = await Business(business.database, business.vault).open()
    await Listening.at(other)
    await business.paid("100")
    await listening.took(AWAY)
    both = await webhooks.listed(parts)
    assert {each["slug"] for each in both} == {business.slug, other.slug}
    (one,) = await webhooks.listed(parts, business.slug)
    assert one == {
        "slug": business.slug,
        "id": listening.endpoint,
        "host": "shop.example",
        "types": None,
        "enabled": True,
        "disabled_at": None,
        "disabled_because": None,
        "failing_since": business.now,
        "undelivered": 1,
        "oldest_undelivered_at": business.now,
        "given_up_lately": 0,
    }
    assert "of-theirs" not in str(both)
    with pytest.raises(CannotRun, match="No tenant is called nobody"):
        await webhooks.listed(parts, "nobody")


async def test_deliveries_are_listed_by_endpoint_and_state_without_what_they_say(parts, business, listening):
    other = await Listening.at(business)
    await business.paid("100")
    await listening.took(AWAY)
    await other.took()

    async def listed(**which):
        return await webhooks.deliveries(parts, business.slug, **which)

    assert len(await listed()) == 2
    assert len(await listed(limit=1)) == 1
    ((one),) = await listed(endpoint=str(listening.endpoint))
    assert (one["state"], one["because"], one["attempts_made"]) == ("waiting", "http_503", 1)
    assert [each["endpoint_id"] for each in await listed(state="delivered")] == [other.endpoint]
    assert await listed(state="dead") == []
    assert "body" not in one
    stranger = await Business(business.database, business.vault).open()
    for wrong, why in ((str(new_id()), "has no endpoint"), ("mine", "is no id of an endpoint")):
        with pytest.raises(CannotRun, match=why):
            await listed(endpoint=wrong)
    with pytest.raises(CannotRun, match="has no endpoint"):
        await webhooks.deliveries(parts, stranger.slug, endpoint=str(listening.endpoint))


async def test_one_is_sent_again_by_hand_and_the_audit_has_it_as_the_operators(parts, business, listening):
    await business.paid("100")
    await listening.took()
    (sent,) = await listening.written()
    told = await webhooks.replayed(parts, business.slug, str(sent.id))
    assert told == {"id": sent.id, "state": "waiting"}
    assert await listening.took() == ["payment.succeeded"]
    ((actor, channel, target, facts),) = await replays(parts)
    assert (actor, channel, target) == ("operator", "cli", str(sent.id))
    assert facts == {"endpoint": str(listening.endpoint)}


async def test_all_that_was_given_up_since_is_sent_again_once_it_is_enabled(parts, business, listening):
    await business.paid("100")
    await business.paid("200")
    await listening.took(GONE)
    its = (parts, business.slug, str(listening.endpoint))
    long_ago = (business.now - timedelta(days=1)).replace(tzinfo=None)  # as it is typed: in UTC
    with pytest.raises(CannotRun, match=r"is off \(because: gone\).*Its staff enable it"):
        await webhooks.replayed_since(*its, long_ago)
    async with business.work() as work:
        await endpoints.change(work, business.owner, listening.endpoint, URL, None, enabled=True)
    assert (await webhooks.replayed_since(*its, business.now + timedelta(days=1)))["deliveries"] == 0
    told = await webhooks.replayed_since(*its, long_ago)
    assert told == {"endpoint_id": listening.endpoint, "deliveries": 2}
    assert len(await listening.took()) == 2
    assert [each.facts["deliveries"] for each in await replays(parts)] == [0, 2]


async def test_what_is_not_this_tenants_or_off_is_refused_and_leaves_no_trace(parts, business, listening):
    stranger = await Business(business.database, business.vault).open()
    await business.paid("100")
    await listening.took(GONE)
    (sent,) = await listening.written()
    for slug, delivery, why in (
        (stranger.slug, str(sent.id), "has no delivery"),
        (business.slug, str(new_id()), "has no delivery"),
        (business.slug, "mine", "mine is no id"),
        (business.slug, str(sent.id), "is off"),
        ("nobody", str(sent.id), "No tenant is called nobody"),
    ):
        with pytest.raises(CannotRun, match=why):
            await webhooks.replayed(parts, slug, delivery)
    assert await replays(parts) == []
    assert await listening.states() == ["dead"]


@pytest.mark.parametrize(
    "arguments", [[], ["--endpoint", "1"], ["1", "--since", "2026-11-24"], ["--since", "2026-11-24"]]
)
def test_a_replay_without_saying_of_what_is_wrong_use(arguments):
    done = CliRunner().invoke(app, ["webhooks", "replay", "--tenant", "mama-njeri", *arguments])
    assert done.exit_code == 2
