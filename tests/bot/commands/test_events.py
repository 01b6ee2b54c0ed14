"""Events, as operators see them and have them played again."""

import json
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from bot.commands import events
from bot.commands.events import Wanted
from bot.parts import CannotRun, Parts
from bot.settings import Settings, WhatsAppSettings
from services.ids import new_id
from services.people.apply import apply
from services.people.tenant_file import read
from services.people.tenants import TenantBook
from services.store.bell import Bell
from services.store.schema import NOBODY, audit, inbox, outbox
from services.store.scope import OWNER
from services.work import CLI, Work

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
    (row,) = await events.listed(parts, Wanted())
    assert (row["seq"], row["tries"], row["state"]) == (seq, 4, "parked")
    assert "ClientError" in row["error"]
    assert_nothing_leaks(row)
    assert await events.listed(parts, Wanted("kept")) == []


async def test_one_event_is_shown_with_its_body_and_shows_nobody(parts):
    shown = await events.shown(parts, await keep(parts))
    assert '"body": "call ' in shown["body"]
    assert_nothing_leaks(shown)


async def test_messages_that_are_held_are_listed_without_what_they_say(parts):
    row = {"tenant_id": new_id(), "conversation_id": new_id(), "body_sealed": b"sealed", "state": "held"}
    row |= {"due_at": NOW, "created_at": NOW, "error": "131047 to 254712345678", "wamid": "wamid.HBgM"}
    async with parts.database.transaction(OWNER) as connection:
        await connection.execute(sa.insert(outbox).values(row))
    (held,) = await events.listed(parts, Wanted("held"))
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


@pytest.mark.parametrize(
    ("state", "why"),
    [
        ("waiting", "is waiting: it is played without being asked to"),
        ("done", "is done, and would ask for the same once more: the person may do so"),
    ],
)
async def test_what_waits_or_was_written_by_a_person_and_is_done_is_not_played_again(parts, state, why):
    seq = await keep(parts, state=state, conversation=new_id())
    with pytest.raises(CannotRun, match=f"Event {seq} {why}"):
        await events.replayed(parts, seq)
    assert (await stored(parts, seq)).state == state


async def test_what_a_provider_said_and_is_done_may_come_once_more_and_the_audit_has_it(parts):
    seq = await keep(parts, "hook", "done")
    assert (await events.replayed(parts, seq))["state"] == "waiting"
    async with parts.database.reading(OWNER) as connection:
        assert await connection.scalar(sa.select(audit.c.facts)) == {"kind": "hook", "was": "done"}


async def test_what_has_grown_old_shows_nothing_and_is_not_played(parts):
    seq = await keep(parts, "hook", "parked")
    async with parts.database.transaction(OWNER) as connection:
        await connection.execute(sa.update(inbox).values(body_sealed=b""))
    assert (await events.shown(parts, seq))["body"] == ""
    with pytest.raises(CannotRun, match="is too old"):
        await events.replayed(parts, seq)


async def test_a_list_is_narrowed_by_tenant_kind_time_and_reason(parts, vault):
    tenant = new_id()
    async with parts.database.transaction(tenant) as connection:
        file = read('[tenant]\nslug = "mama-njeri"\n')
        await apply(Work(connection, vault, tenant, NOW, CLI), file)
    mine = await keep(parts, tenant=tenant)
    other = await keep(parts, "hook", error="TimeoutError()")
    wanted = {
        Wanted(slug="mama-njeri"): [mine],
        Wanted(kind="hook"): [other],
        Wanted(reason="timeout"): [other],
        Wanted(reason="%"): [],
        Wanted(since=NOW): [other, mine],
        Wanted(since=NOW + timedelta(seconds=1)): [],
        Wanted(limit=1): [other],
    }
    for which, expected in wanted.items():
        assert [row["seq"] for row in await events.listed(parts, which)] == expected, which
    with pytest.raises(CannotRun, match="No tenant is called nobody"):
        await events.listed(parts, Wanted(slug="nobody"))


async def message(parts, state="failed", **more):
    row = {"tenant_id": new_id(), "conversation_id": new_id(), "body_sealed": b"sealed", "state": state}
    row |= {"due_at": NOW, "created_at": NOW, "tries": 5, "purpose": "answer", "error": "131026"} | more
    async with parts.database.transaction(OWNER) as connection:
        return await connection.scalar(sa.insert(outbox).values(row).returning(outbox.c.seq))


async def test_a_message_that_did_not_arrive_is_sent_again_and_the_audit_has_it(parts):
    seq = await message(parts)
    await message(parts, error="overtaken by later news")
    assert [row["seq"] for row in await events.listed(parts, Wanted("dead"))] == [seq]
    assert await events.resent(parts, seq) == {"seq": seq, "state": "waiting"}
    async with parts.database.reading(OWNER) as connection:
        row = (await connection.execute(sa.select(outbox).where(outbox.c.seq == seq))).one()
        entry = (await connection.execute(sa.select(audit.c.action, audit.c.facts))).one()
    assert (row.state, row.tries, row.error) == ("waiting", 0, None)
    assert tuple(entry) == ("message.resent", {"purpose": "answer", "why": "131026"})
    assert parts.bell.topics == ["outbox"]


@pytest.mark.parametrize(
    "more",
    [
        {"state": "delivered"},
        {"state": "waiting"},
        {"error": "overtaken by later news"},
        {"body_sealed": b""},
    ],
)
async def test_no_other_message_is_sent_again(parts, more):
    seq = await message(parts, **more)
    with pytest.raises(CannotRun, match="only one that did not arrive is sent again"):
        await events.resent(parts, seq)
    with pytest.raises(CannotRun, match="There is no message"):
        await events.resent(parts, seq + 1000)
    assert parts.bell.topics == []


async def test_an_event_that_is_none_is_told(parts):
    with pytest.raises(CannotRun, match=r"There is no event 12\."):
        await events.shown(parts, 12)
