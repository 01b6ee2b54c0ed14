"""How an e-mail is handed over: TLS, who is logged in, and what each answer means."""

import ssl
from datetime import UTC, datetime
from uuid import UUID

import aiosmtplib
import pytest

from bot.http import NetworkInTransaction
from bot.mail.letters import message
from bot.mail.settings import SmtpSettings
from bot.mail.smtp import Refused, Smtp
from services.store.scope import PLATFORM
from tests.fakes.smtp import MailServer, certificates, serving

AT = datetime(2026, 11, 29, tzinfo=UTC)


def letter(subject="s", text="t"):
    people = {"sender": "a@platform.example", "to": "b@shop.example"}
    return message(**people, at=AT, subject=subject, text=text, of=(UUID(int=1), 2))


def smtp(server, scheme="smtp", user="", **more):
    return Smtp(**{**vars(Smtp.of(f"{scheme}://{user}127.0.0.1:{server.port}")), **more})


class Elsewhere(Smtp):
    """As if the server were on another machine."""

    is_here = property(lambda _: False)


async def test_another_machine_has_to_speak_tls():
    async with serving(MailServer()) as server:
        with pytest.raises(aiosmtplib.SMTPException):
            await Elsewhere("127.0.0.1", server.port, smtps=False).send(letter())
        assert server.taken == []
        await smtp(server).send(letter())  # this one need not
        assert server.tls == [False]


async def test_starttls_to_who_is_trusted(tmp_path):
    server_side, trusting = certificates(tmp_path)
    async with serving(MailServer(), starttls=server_side) as server:
        with pytest.raises(ssl.SSLError):
            await Elsewhere("127.0.0.1", server.port, smtps=False).send(letter())
        assert server.taken == []
        await Elsewhere("127.0.0.1", server.port, smtps=False, trust=trusting).send(letter())
        assert server.tls == [True]


async def test_tls_from_the_first_byte(tmp_path):
    server_side, trusting = certificates(tmp_path)
    async with serving(MailServer(), smtps=server_side) as server:
        await smtp(server, "smtps", trust=trusting).send(letter())
        assert len(server.taken) == 1


async def test_the_password_may_hold_any_sign():
    async with serving(MailServer()) as server:
        await smtp(server, user="mail%40er:p%3Aa%40s%20s@").send(letter())
        assert server.logged_in == ["mail@er"]
        with pytest.raises(aiosmtplib.SMTPAuthenticationError):  # put right some day, so it is tried again
            await smtp(server, user="mailer:wrong@").send(letter())
        assert len(server.taken) == 1


@pytest.mark.parametrize(
    ("answer", "raised"), [("550 spam", Refused), ("451 later", aiosmtplib.SMTPResponseException)]
)
async def test_a_no_for_ever_is_told_from_a_no_for_now(answer, raised):
    server = MailServer()
    server.answers = [answer]
    async with serving(server):
        with pytest.raises(raised):
            await smtp(server).send(letter())


async def test_never_inside_a_transaction(database):
    async with database.transaction(PLATFORM):
        with pytest.raises(NetworkInTransaction):
            await Smtp("127.0.0.1", 9, smtps=False).send(letter())


def test_what_is_written_is_ascii_on_the_wire_and_reads_as_it_was():
    made = letter("Njeri's 🛒", "Habari – ✅ " + "x" * 2000)
    raw = bytes(made)
    assert raw.isascii()
    assert max(len(line) for line in raw.splitlines()) <= 998
    assert made.get_content() == "Habari – ✅ " + "x" * 2000 + "\n"


@pytest.mark.parametrize("sign", ["\r\n", "\n", "\r", "\0", "\x85", "\u2028", "\x0b"])
def test_no_sign_ends_a_header(sign):
    made = letter(f"hello{sign}Bcc: thief@example.org")
    assert made["Bcc"] is None
    assert len(bytes(made).split(b"\r\n\r\n")[0].splitlines()) == len(made.keys()) + bytes(made).count(
        b"\r\n "
    )


@pytest.mark.parametrize(
    "url",
    ["http://x", "smtp://", "mail.example.org", "smtp://user@host", "smtp://host/path", "smtp://h:99999"],
)
def test_a_wrong_address_of_a_server_is_refused_and_not_shown(url):
    with pytest.raises(ValueError, match="url") as wrong:
        SmtpSettings(url=url)
    assert "99999" not in str(wrong.value)


def test_settings_say_who_sends_and_who_is_told():
    settings = SmtpSettings(url="smtps://u:p@mail.example.org", operators="a@b.example, c@d.example")
    assert settings.addresses == ["a@b.example", "c@d.example"]
    assert settings.server == Smtp("mail.example.org", 465, smtps=True, user="u", password="p")
    assert "p@" not in repr(settings)
    assert settings.sent_by("https://pay.example.org") == "lipachat@pay.example.org"
    with pytest.raises(ValueError, match="operators"):
        SmtpSettings(operators="a@b.example\nBcc: c@d.example")
