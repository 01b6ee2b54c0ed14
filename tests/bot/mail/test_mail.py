"""E-mails, to a real server: who is told what, once, and whatever happens on the way."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from bot.mail.posting import _FAR_BEHIND, ALSO_TOLD, OPERATORS_ALONE, Posting, _untold
from flows.staff.letters import words_of
from flows.text import render
from services import audit
from services.errors import FourEyesViolation
from services.jobs import MAIL_ALERT
from services.providers.base import Failed
from services.reasons import Unpaid
from services.store.schema import jobs, mails, people, staff, tenants, withdrawals
from services.store.scope import OWNER
from tests.bot.mail.alerting import actions
from tests.bot.mail.conftest import OPERATOR
from tests.flows.languages import OTHERS


async def alert(business, action="payment.in_doubt", actor=audit.PROVIDER, **facts):
    async with business.work() as work:
        await audit.record(work, actor, action, business.customer, facts, alert=True)


async def test_an_alert_is_told_to_the_operator_once(office):
    await alert(office.business, receipt="SJK7ABC123")
    await office.minute()
    assert office.server.to == [OPERATOR]
    (text,) = office.server.texts
    assert "payment.in_doubt" in text
    assert "receipt: SJK7ABC123" in text
    assert office.business.slug in str(office.server.taken[0]["Subject"])
    await office.minute(30)
    assert len(office.server.taken) == 1
    assert await office.waiting() == 0


async def test_many_share_one_and_the_next_waits_ten_minutes(office):
    for n in range(7):
        await alert(office.business, receipt=f"R{n}")
    await office.minute()
    await alert(office.business, receipt="LATER1")
    await office.minute(3)
    await alert(office.business, receipt="LATER2")
    await office.minute(3)
    assert len(office.server.taken) == 1
    assert "7 alerts" in str(office.server.taken[0]["Subject"])
    await office.minute(6)
    assert len(office.server.taken) == 2
    assert "LATER1" in office.server.texts[1]
    assert "LATER2" in office.server.texts[1]
    assert "R0" not in office.server.texts[1]


async def test_hundreds_are_one_that_can_be_read(office):
    for n in range(120):
        await alert(office.business, receipt=f"R{n}")
    await office.minute()
    (text,) = office.server.texts
    assert text.count("payment.in_doubt") == 50
    assert "And 70 more" in text
    await office.minute(30)
    assert len(office.server.taken) == 1


async def test_a_server_that_is_away_loses_nothing_and_doubles_nothing(office):
    office.server.answers = ["451 come back later", "421 too busy"]
    await alert(office.business, receipt="FIRST")
    await office.minute()
    assert office.server.taken == []
    assert await office.waiting() == 1
    await alert(office.business, receipt="SECOND")
    await office.minute(20)
    assert len(office.server.taken) == 1
    assert "FIRST" in office.server.texts[0]
    assert "SECOND" in office.server.texts[0]
    await office.minute(20)
    assert len(office.server.taken) == 1


async def test_nobody_listens_for_an_hour(office):
    port, office.server.port = office.server.port, 9
    office.calls = office.worker()
    await alert(office.business, receipt="KEPT")
    await office.minute(60)
    assert await office.waiting() == 1
    office.server.port = port
    office.calls = office.worker()
    await office.minute(20)
    assert "KEPT" in office.server.texts[0]


async def test_who_dies_after_it_was_taken_sends_it_again_under_the_same_id(office):
    office.server.answers = [""]
    await alert(office.business)
    await office.minute(5)
    assert len(office.server.taken) == 2
    assert office.server.taken[0]["Message-ID"] == office.server.taken[1]["Message-ID"]
    await office.minute(30)
    assert len(office.server.taken) == 2


async def test_what_the_server_refuses_is_given_up_after_a_day(office):
    office.server.refused_recipients.add(OPERATOR)
    await alert(office.business)
    await office.minute(60)
    assert await office.waiting() == 1
    office.business.forward(hours=24)
    await office.minute(2)
    assert await office.waiting() == 0
    assert office.server.taken == []


async def test_one_recipient_that_is_refused_keeps_no_other(office):
    await office.write_to(manager="gone@shop.example")
    office.server.refused_recipients.add("gone@shop.example")
    await alert(office.business)
    await office.minute()
    assert office.server.to == [OPERATOR]


async def test_who_reconciles_is_told_of_their_own_shop_and_not_of_the_installation(office):
    await office.write_to(manager="kamau@shop.example", cashier="achieng@shop.example")
    await alert(office.business, "payment.in_doubt")
    await alert(office.business, "audit.broken")
    await office.minute()
    by_whom = dict(zip(office.server.to, office.server.texts, strict=True))
    assert set(by_whom) == {OPERATOR, "kamau@shop.example"}  # a cashier does not reconcile
    assert "audit.broken" in by_whom[OPERATOR]
    assert "audit.broken" not in by_whom["kamau@shop.example"]


async def test_nobody_is_told_of_what_they_did_themselves(office):
    await office.write_to(manager="kamau@shop.example")
    await office.business.paid("5000")
    withdrawal = await office.business.withdraw(maker=office.business.manager)
    with pytest.raises(FourEyesViolation):
        async with office.business.teller(office.business.manager) as teller:
            await teller.approve(withdrawal.id, withdrawal.digest)
    await office.minute()
    assert office.server.to == [OPERATOR]
    assert "tried to approve what they had asked for themselves" in office.server.texts[0]


async def test_a_failed_withdrawal_is_told(office):
    await office.business.paid("5000")
    failing = await office.business.approved()
    await failing.sent()
    await failing.called(Failed(Unpaid.PROVIDER, "no"))
    await office.minute()
    assert "withdrawal.failed" in office.server.texts[0]
    assert "amount is in the wallet again" in office.server.texts[0]


async def speaks(business, person, language):
    async with business.behind() as work:
        await work.connection.execute(
            sa.update(people).where(people.c.id == person).values(language=language)
        )


async def test_the_staff_are_told_of_alerts_in_their_language_and_the_operator_in_english(office):
    business = office.business
    await office.write_to(manager="kamau@shop.example", owner="njeri@shop.example")
    await speaks(business, business.manager, "fr")
    await speaks(business, business.owner, "sw")
    await alert(business, "payment.in_doubt", receipt="SJK7ABC123", to_do="Look for it.")
    await office.minute()
    texts = dict(zip(office.server.to, office.server.texts, strict=True))
    titles = {str(each["To"]): str(each["Subject"]) for each in office.server.taken}
    assert "Un paiement a été annoncé" in texts["kamau@shop.example"]
    assert titles["kamau@shop.example"] == "Mama Njeri : 1 chose demande votre attention"
    assert "Malipo yametajwa" in texts["njeri@shop.example"]
    assert "A payment was told" in texts[OPERATOR]
    for text in texts.values():
        assert "payment.in_doubt" in text
        assert "receipt: SJK7ABC123" in text
    assert "Look for it." in texts[OPERATOR]
    assert "Look for it." not in texts["kamau@shop.example"] + texts["njeri@shop.example"]


async def test_hundreds_are_one_for_the_staff_too(office):
    await office.write_to(manager="kamau@shop.example")
    await speaks(office.business, office.business.manager, "fr")
    for n in range(120):
        await alert(office.business, receipt=f"R{n}")
    await office.minute()
    text = dict(zip(office.server.to, office.server.texts, strict=True))["kamau@shop.example"]
    assert text.count("Un paiement a été annoncé") == 50
    assert "Et 70 de plus" in text


@pytest.mark.parametrize("action", sorted({*actions(), *ALSO_TOLD}))
def test_every_alert_that_the_staff_are_told_of_has_words_in_every_language(action):
    if action.startswith(OPERATORS_ALONE):
        return  # whose e-mails are in English
    said = words_of(action)
    assert said is not None, f"{action} needs a sentence in flows/staff/letters.py"
    for language in OTHERS:
        assert render(said, language) != render(said, "en")


def test_alerts_are_found_where_they_are_recorded():
    assert {
        "payout.undecided",
        "refund.codes_guessed",
        "payment.by_hand_misfit",
        "token.expiring",
    } <= actions()


async def test_approvers_are_written_to_in_their_language_and_the_maker_is_not(office):
    business = office.business
    await office.write_to(manager="kamau@shop.example", cashier="achieng@shop.example")
    async with business.behind() as work:
        await work.connection.execute(
            sa.update(people).where(people.c.id == business.manager).values(language="sw")
        )
    await business.paid("5000")
    withdrawal = await business.withdraw()
    await office.minute()
    assert office.server.to == ["kamau@shop.example"]
    (text,) = office.server.texts
    assert "KES 1,000.00" in text
    assert "KES 33.00" in text
    assert "KES 967.00" in text
    assert withdrawal.destination in text
    assert "********" in text
    assert "WhatsApp" in text
    assert "Wanjiku anaomba uamuzi wako" in text
    assert "712345678" not in text


async def test_what_was_decided_meanwhile_is_not_told(office):
    await office.write_to(manager="kamau@shop.example")
    await office.business.paid("5000")
    await office.business.approved()
    await office.minute(5)
    assert office.server.taken == []
    assert await office.waiting() == 0


async def test_who_has_left_is_told_nothing(office):
    await office.write_to(manager="kamau@shop.example")
    await office.business.paid("5000")
    await office.business.withdraw()
    await office.watching.once()
    assert await office.waiting() == 1
    await office.business.change(staff, staff.c.person_id == office.business.manager, active=False)
    await office.minute()
    assert office.server.taken == []
    assert await office.waiting() == 0


async def test_a_name_ends_no_header_and_tells_no_phone(office):
    async with office.business.behind() as work:
        mine = tenants.c.id == office.business.tenant
        named = "Duka\r\nBcc: thief@example.org\r\n\r\nhello 0712345678"
        await work.connection.execute(sa.update(tenants).where(mine).values(name=named))
    await office.write_to(manager="kamau@shop.example")
    await office.business.paid("5000")
    await office.business.withdraw()
    await alert(office.business, note="call +254712345678\r\nBcc: thief@example.org", password="hunter2")
    await office.minute()
    assert len(office.server.taken) == 3
    for letter in office.server.taken:
        assert letter["Bcc"] is None
        assert "thief" not in str(letter["To"])
        assert "712345678" not in letter.get_content() + str(letter["Subject"])
        assert "hunter2" not in letter.get_content()
        assert letter.defects == []


async def test_two_workers_send_one(office):
    await alert(office.business)
    other = office.worker()
    office.business.forward(minutes=1)
    await office.work()
    await other.once()
    assert len(office.server.taken) == 1


async def test_old_alerts_are_no_news_where_e_mail_is_set_up_late(office):
    await alert(office.business, receipt="OLD")
    office.business.forward(days=3)
    await alert(office.business, receipt="NEW")
    await office.minute()
    assert "NEW" in office.server.texts[0]
    assert "OLD" not in office.server.texts[0]


async def test_what_tells_nobody_anything_is_passed_over(office):
    async with office.business.work() as work:
        for _ in range(1100):
            await audit.record(work, audit.CLOCK, "order.made", office.business.customer, {})
    await office.minute()
    async with office.business.database.reading(OWNER) as connection:
        assert (await connection.execute(_FAR_BEHIND)).all() == []
    await alert(office.business)
    await office.minute()
    assert len(office.server.taken) == 1


async def test_while_it_is_off_the_chains_are_kept_up_with(office):
    business = office.business
    async with business.work() as work:
        for _ in range(1100):
            await audit.record(work, audit.CLOCK, "payment.in_doubt", business.customer, {}, alert=True)
    off = Posting(business.database, business.vault, lambda: business.now, [OPERATOR], on=False)
    assert await off.once() == 0
    await alert(business, receipt="SINCE")
    await office.minute()
    assert "1 alert of" in str(office.server.taken[0]["Subject"])
    assert "SINCE" in office.server.texts[0]


async def test_what_waits_as_it_is_switched_off_is_sent_when_it_is_on_again(office):
    business = office.business
    office.server.answers = ["451 later"]
    await alert(business, receipt="WAITED")
    await office.minute()
    await Posting(business.database, business.vault, lambda: business.now, [], on=False).once()
    async with business.database.reading(OWNER) as connection:
        assert (await connection.execute(sa.select(jobs).where(jobs.c.kind == MAIL_ALERT))).all() == []
    await office.minute(2)
    assert "WAITED" in office.server.texts[0]


async def test_reading_on_takes_no_chain_as_a_whole(office):
    """Where it would, a year of entries more makes each minute slower."""
    query = _untold(office.business.now)
    async with office.business.database.reading(OWNER) as connection:
        dialect = connection.dialect
        sql = str(query.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
        if office.business.database.is_postgres:
            await connection.exec_driver_sql("SET enable_seqscan = off")
            plan = [row[0] for row in await connection.exec_driver_sql(f"EXPLAIN {sql}")]
            assert any("pk_audit" in line or "ix_audit" in line for line in plan), plan
            await connection.exec_driver_sql("RESET enable_seqscan")
        else:
            plan = [row[3] for row in await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}")]
            assert any(line.startswith("SEARCH audit USING") and "seq>" in line for line in plan), plan


async def test_without_an_address_nobody_is_told_and_nothing_waits(office):
    office.calls = office.worker(operators=())
    await alert(office.business)
    await office.business.paid("5000")
    await office.business.withdraw()
    await office.minute(3)
    assert await office.waiting() == 0


async def test_rows_name_no_address(office):
    await office.write_to(manager="kamau@shop.example")
    await office.business.paid("5000")
    await office.business.withdraw()
    await office.watching.once()
    async with office.business.database.reading(OWNER) as connection:
        rows = (await connection.execute(sa.select(mails))).all()
        sealed = await connection.scalar(
            sa.select(staff.c.email_sealed).where(staff.c.person_id == office.business.manager)
        )
        assert await connection.scalar(sa.select(withdrawals.c.status)) == "pending"
    assert len(rows) == 1
    assert b"kamau" not in bytes(sealed)
    assert timedelta(0) <= office.business.now - rows[0].created_at
