"""A worker on a database that ends before what was anchored of its audit refuses to start."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from bot.anchoring import Anchoring, AuditSettings
from bot.parts import CannotRun
from bot.restored import refuse_restored
from bot.settings import Settings, WhatsAppSettings
from services import audit
from services.audit import anchors
from services.ids import new_id
from services.safety.vault import Vault
from services.store.schema import audit as entries
from services.store.schema import audit_heads
from services.store.scope import OWNER
from services.withdrawals.freeze import RESTORED
from services.work import Work
from tests.bot.test_settings import KEY

NOW, TENANT = datetime(2026, 11, 28, 12, 0, tzinfo=UTC), new_id()


@pytest.fixture
def settings(database, tmp_path):
    return Settings(
        secret_keys=SecretStr(KEY),
        whatsapp=WhatsAppSettings(app_secret=SecretStr("a"), verify_token=SecretStr("b")),
        database_url=database.url.render_as_string(hide_password=False),
        audit=AuditSettings(anchor=tmp_path / "anchors"),
    )


@pytest.fixture
def vault(settings):
    return Vault(settings.keys)


async def recorded(database, vault, action="a", at=NOW, tenant=TENANT):
    async with database.transaction(OWNER) as connection:
        await audit.record(Work(connection, vault, tenant, at), audit.OPERATOR, action, tenant, {})


async def anchored(database, vault, settings, at=NOW):
    return await Anchoring(database, vault, lambda: at, settings.audit.anchor).once()


async def go_back(database):
    """As an older backup would: its last entry is not there."""
    async with database.transaction(OWNER) as connection:
        await connection.execute(sa.update(audit_heads).values(seq=audit_heads.c.seq - 1, anchored_seq=0))


@pytest.fixture
async def begun(database, vault, settings):
    for _ in range(3):
        await recorded(database, vault)
    assert await anchored(database, vault, settings) == 1


async def test_one_that_has_all_runs_and_so_does_one_that_has_more(database, vault, settings, begun):
    await refuse_restored(settings)
    await recorded(database, vault)
    await refuse_restored(settings)


async def test_one_that_ends_before_is_refused_until_the_operator_has_said_so(
    database, vault, settings, begun
):
    await go_back(database)
    with pytest.raises(CannotRun, match=r"anchored of its audit at 2026-11-28 12:00:00 UTC.*db restored"):
        await refuse_restored(settings)
    other = new_id()  # whoever's chain it is in: of one that is lost as a whole it can be in none of its own
    await recorded(database, vault, RESTORED, NOW - timedelta(hours=1), other)
    with pytest.raises(CannotRun):  # that was another time
        await refuse_restored(settings)
    await recorded(database, vault, RESTORED, NOW + timedelta(hours=1), other)
    await refuse_restored(settings)


async def test_one_that_has_gone_on_by_itself_meanwhile_is_refused_no_less(database, vault, settings, begun):
    """As where a web server without a worker has taken calls since the backup was played back."""
    async with database.transaction(OWNER) as connection:
        (last,) = await connection.execute(sa.delete(entries).where(entries.c.seq == 3).returning(entries))
        before = await connection.scalar(sa.select(entries.c.previous).where(entries.c.seq == 2))
        back = {"seq": 2, "hash": last.previous, "previous": before, "anchored_seq": 0}
        await connection.execute(sa.update(audit_heads).values(back))
    for _ in range(3):
        await recorded(database, vault, "b")
    with pytest.raises(CannotRun, match="db restored"):
        await refuse_restored(settings)
    await recorded(database, vault, RESTORED, NOW + timedelta(hours=1))
    await refuse_restored(settings)


async def test_it_is_seen_again_after_it_was_said(database, vault, settings, begun):
    await go_back(database)
    await recorded(database, vault, RESTORED, NOW + timedelta(hours=1), new_id())
    await refuse_restored(settings)
    anchors.write(settings.audit.anchor, vault, [anchors.Head(TENANT, 9, b"-")], NOW + timedelta(hours=2))
    with pytest.raises(CannotRun, match="14:00:00 UTC"):
        await refuse_restored(settings)


async def test_a_tenant_that_is_gone_as_a_whole_is_missed_and_a_new_database_misses_none(
    database, vault, settings, begun
):
    async with database.transaction(OWNER) as connection:
        await connection.execute(sa.delete(audit_heads))
    await refuse_restored(settings)  # a new one
    await recorded(database, vault, tenant=new_id())
    with pytest.raises(CannotRun):
        await refuse_restored(settings)


async def test_what_was_never_finished_or_signed_by_others_tells_nothing(database, vault, settings, begun):
    (path,) = settings.audit.anchor.rglob("*.anchor")
    day = path.parent
    (day / "130000-torn.anchor").write_bytes(path.read_bytes()[:40])
    stranger = Vault([bytes(reversed(range(32)))])
    far = {"seq": audit_heads.c.seq + 5}
    async with database.transaction(OWNER) as connection:
        await connection.execute(sa.update(audit_heads).values(far))
    await Anchoring(database, stranger, lambda: NOW + timedelta(hours=1), settings.audit.anchor).once()
    async with database.transaction(OWNER) as connection:
        await connection.execute(sa.update(audit_heads).values(seq=audit_heads.c.seq - 5))
    await refuse_restored(settings)


async def test_without_a_folder_or_with_an_empty_one_nothing_is_known(database, settings):
    await refuse_restored(settings)
    await refuse_restored(settings.model_copy(update={"audit": AuditSettings()}))


async def test_a_folder_that_cannot_be_read_is_told_in_a_sentence(database, settings, begun):
    (path,) = settings.audit.anchor.rglob("*.anchor")
    path.unlink()
    path.mkdir()
    with pytest.raises(CannotRun, match="cannot be read: Is a directory"):
        await refuse_restored(settings)
