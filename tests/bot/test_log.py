"""A canary: what must never be logged is logged in every way, and none of it comes out."""

import subprocess
import sys

import pytest

from bot.log import redact, redacted
from services.providers.daraja_calls import Reply

PROGRAM = """
import logging
import structlog
from bot.log import configure
configure({shape!r}, "debug")
log = structlog.get_logger("canary")
log.info("sent to +254712345678", access_token="EAAcanarytoken123", nested={{"passkey": "canarypass"}})
log.info("called", url="https://x.example/hooks/" + "ab" * 32, header="Authorization: Bearer canarybearer")
log.info("heard", reference="ws_CO_241120261200123712345678", url="/?to=%2B254712345678&token=canaryquery")
log.info("told", body='{{"Password": "canarybody", "PhoneNumber": 254712345678}}', to="+254 712 345 678.")
log.info("listed", phones=["254712345678", ("0712345678", 254712345678)])
logging.getLogger("aiohttp").warning("failed for %s with Basic Y2FuYXJ5", "254712345678")
try:
    raise ValueError("no route to 254712345678 at postgresql://lipa:canarydb@db/x")
except ValueError:
    log.exception("turn.failed")
    logging.getLogger("sqlalchemy").exception("bad")
log.info("turn.done", seq=123456789, order="K7Q2XM", amount="500.00")
"""


def printed(shape):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(shape=shape)], capture_output=True, text=True, check=True
    )
    assert not done.stdout
    return done.stderr


def test_secrets_and_phones_never_come_out():
    for shape in ("json", "console"):
        text = printed(shape)
        for canary in ("canary" + rest for rest in ("token", "pass", "bearer", "db", "query", "body")):
            assert canary not in text
        for canary in ("0712345678", "712345678", "712 345", "abababab", "Y2FuYXJ5"):
            assert canary not in text


def test_what_is_needed_to_find_a_fault_comes_out():
    text = printed("json")
    assert "********5678" in text
    assert '"seq": 123456789' in text
    assert "K7Q2XM" in text
    assert "Traceback" in text
    assert "ValueError: no route to ********5678" in text
    assert "ws_CO_241120261200123*****5678" in text


@pytest.mark.parametrize(
    "phone",
    [
        "+254712345678",
        "254712345678",
        "0712345678",
        "0712 345 678",
        "0712-345-678",
        "071 234 5678",
        "0712 34 56 78",
        "(0712) 345 678",
        "+254 712 345 678",
        "+254-712-345-678",
        "+254 (0) 712 345 678",
        "254 712 345 678",
        "+254\u00a0712\u00a0345\u00a0678",
        "%2B254712345678",
    ],
)
@pytest.mark.parametrize(
    "around",
    ["{}", "to {}.", "({})", "x={}&y", '"{}"', "{},", "wa.me/{}", "tel:{}", "id-{}", "{}-", "{}?", "'{}'"],
)
def test_a_phone_is_hidden_however_it_is_written(phone, around):
    shown = redacted(around.format(phone))
    assert "********5678" in shown
    assert "712" not in shown
    assert "234 " not in shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("ws_CO_241120261200123712345678 is asked", "ws_CO_241120261200123*****5678 is asked"),
        ("wamid.HBgMMjU0NzEyMzQ1Njc4FQIAERgSRUE0 failed", "wamid.***gSRUE0 failed"),
        ("POST /hooks/" + "0f" * 32, "POST ***"),
        ("hub.verify_token=canary&hub.mode=x", "hub.verify_token=***&hub.mode=x"),
        ("{'initiator_password': 'canary'}", "{'initiator_password': '***'}"),
        ("card 4242 4242 4242 4242", "card [card ****4242]"),
        ("pay 500 4242424242424242 12/27 123", "pay 500 [card ****4242] 12/27 [code]"),
        (
            "duplicate key [SQL: INSERT INTO x VALUES (?)]\n[parameters: ('a', b'[x]')]\n(Background on",
            "duplicate key [SQL: INSERT INTO x VALUES (?)]\n[parameters: ***](Background on",
        ),
        ("postgresql://:canary@db/x", "postgresql://:***@db/x"),
    ],
)
def test_what_gives_a_person_or_a_right_away_is_hidden(text, shown):
    assert redacted(text) == shown
    assert redacted(shown) == shown


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-24T12:01:23.123456+03:00",
        "2026-11-24 12:01:23",
        *(
            f"2026-11-{day} {hour}:01:23.12345{hour}+03:00 took 0.{day}"
            for day in range(20, 28)
            for hour in (11, 12)
        ),
        "0193a2b4-1234-7000-8123-123456789012",
        "01234567-1234-7123-8123-012345678901 is parked",
        "amount 1250000.00 of 99,000,000.50 KES",
        "took 0.001234567 s, 0.000000012345 s",
        "tries 0 of 4, 254 rows, seq 12345678, port 65535",
        "order K7Q2XM of shop-0193a2b41234",
        "received_at 1764000000.123456",
        "HTTP 500 after 30 s at 127.0.0.1:8080",
        str(Reply(500, {"errorCode": "500.001.1001", "errorMessage": "Wrong credentials"})),
        "token = await self._tokens.get(fetch)",
        "140a9b27164e",
    ],
)
def test_ids_amounts_times_and_counts_can_be_read(text):
    assert redacted(text) == text


def test_a_hash_of_the_audit_can_be_read_and_a_token_cannot():
    line = {"event": "audit.head", "hash": "0f" * 32, "said": "0f" * 32, "hashes": ["0f" * 32]}
    assert redact(None, "info", line) == {
        "event": "audit.head",
        "hash": "0f" * 32,
        "said": "***",
        "hashes": ["***"],
    }
    assert redact(None, "info", {"hash": "0712345678"}) == {"hash": "********5678"}
