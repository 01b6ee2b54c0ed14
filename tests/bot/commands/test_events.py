"""Events, as operators see them and have them played again."""

import json
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from bot.commands import events
from bot.parts import CannotRun, Parts
from bot.settings import Settings, WhatsAppSettings
from services.ids import new_id
from services.people.tenants import TenantBook
from services.store.bell import Bell
from services.store.schema import NOBODY, audit, inbox, outbox
from services.store.scope import OWNER

KEY = SecretStr("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
TOKEN = "0f" * 32
LEAKY = (
    f"ClientError('https://pay.example/hooks/{TOKEN} of 0712 345 678')\n"
    "[SQL: INSERT INTO people VALUES (?)]\n[parameters: ('+254712345678', 'Wanjiku')]"
)
BODY = {"message": {"from": "254712345678", "text": {"body": "call 0712 345 678 or 0712-345-678"}}}


class Rung(Bell):
    """Remembers what was rung."""

    def __init__(self):
        super().__init__()
        self.topics = []

    def ring(self, topic):
        self.topics.append(topic)
        super().ring(topic)


@pytest.fixture
def parts(database, vault):
    def clock():
        return NOW

    whatsapp = WhatsAppSettings(app_secret=SecretStr("x"), verify_token=SecretStr("y"))
    settings = Settings(secret_keys=KEY, whatsapp=whatsapp)
    return Parts(settings, database, vault, TenantBook(database, vault, clock), Rung(), clock)


async def keep(parts, kind="message", state="parked", *, tenant=None, conversation=None, error=LEAKY):
    tenant = tenant or new_id()
    row = {
        "tenant_id": tenant,
        "kind": kind,
        "external_id": "wamid.1",
        "status": "",
        "conversation_id": conversation,
        "state": state,
        "tries": 4,
        "due_at": NOW,
        "received_at": NOW,
        "body_sealed": parts.vault.seal(json.dumps(BODY).encode(), tenant, "inbox.body", f"{kind}|wamid.1|"),
        "error": error,
    }
    async with parts.database.transaction(OWNER) as connection:
        return await connection.scalar(sa.insert(inbox).values(row).returning(inbox.c.seq))


async def stored(parts, seq):
    async with parts.database.reading(OWNER) as connection:
        return (await connection.execute(sa.select(inbox).where(inbox.c.seq == seq))).one()


def assert_nothing_leaks(shown):
    text = str(shown)
    for canary in ("712345678", "712 345", "712-345", TOKEN, "Wanjiku"):
        assert canary not in text
    assert "********5678" in text


async def test_a_list_says_why_and_shows_nobody(parts):
    seq = await keep(parts)
    (row,) = await events.listed(parts, "parked", 50)
    assert (row["seq"], row["tries"], row["state"]) == (seq, 4, "parked")
    assert "ClientError" in row["error"]
    assert_nothing_leaks(row)
    assert await events.listed(parts, "kept", 50) == []


async def test_one_event_is_shown_with_its_body_and_shows_nobody(parts):
    shown = await events.shown(parts, await keep(parts))
    assert '"body": "call ' in shown["body"]
    assert_nothing_leaks(shown)


async def test_messages_that_are_held_are_listed_without_what_they_say(parts):
    row = {"tenant_id": new_id(), "conversation_id": new_id(), "body_sealed": b"sealed", "state": "held"}
    row |= {"due_at": NOW, "created_at": NOW, "error": "131047 to 254712345678", "wamid": "wamid.HBgM"}
    async with parts.database.transaction(OWNER) as connection:
        await connection.execute(sa.insert(outbox).values(row))
    (held,) = await events.listed(parts, "held", 50)
    assert held["error"] == "131047 to ********5678"
    assert not {"body_sealed", "wamid"} & held.keys()


@pytest.mark.parametrize("state", ["parked", "kept"])
@pytest.mark.parametrize(
    ("kind", "talks", "topic"),
    [
        ("message", True, "turns"),
        ("news", True, "turns"),
        ("hook", False, "hooks"),
        ("status", False, "statuses"),
        ("payment_status", False, "statuses"),
    ],
)
async def test_what_somebody_waits_for_is_played_again_and_its_bell_rings(parts, state, kind, talks, topic):
    seq = await keep(parts, kind, state, conversation=new_id() if talks else None)
    assert await events.replayed(parts, seq) == {"seq": seq, "state": "waiting"}
    row = await stored(parts, seq)
    assert (row.state, row.tries, row.error, row.due_at) == ("waiting", 0, None, NOW)
    assert parts.bell.topics == [topic]
    async with parts.database.reading(OWNER) as connection:
        assert (await connection.scalars(sa.select(audit.c.action))).all() == ["event.replayed"]


@pytest.mark.parametrize(
    ("kind", "tenant", "why"),
    [
        ("message", None, "it names no sender who could be answered"),
        ("unknown", None, "nothing is done about events of the kind unknown"),
        ("group_message", None, "nothing is done about events of the kind group_message"),
        ("message", NOBODY, "it came to a number that was no tenant's then, and does not tell which"),
        ("status", NOBODY, "it came to a number that was no tenant's then, and does not tell which"),
    ],
)
async def test_what_nobody_waits_for_is_refused_and_stays(parts, kind, tenant, why):
    seq = await keep(parts, kind, "kept", tenant=tenant)
    before = await stored(parts, seq)
    with pytest.raises(CannotRun) as refused:
        await events.replayed(parts, seq)
    assert str(refused.value) == f"Event {seq} stays kept: {why}."
    assert await stored(parts, seq) == before
    assert parts.bell.topics == []


@pytest.mark.parametrize("state", ["waiting", "done"])
async def test_only_what_is_parked_or_kept_is_played_again(parts, state):
    seq = await keep(parts, state=state, conversation=new_id())
    with pytest.raises(CannotRun, match=f"Event {seq} is {state}; only one that is parked or kept"):
        await events.replayed(parts, seq)


async def test_an_event_that_is_none_is_told(parts):
    with pytest.raises(CannotRun, match=r"There is no event 12\."):
        await events.shown(parts, 12)
