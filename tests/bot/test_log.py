"""A canary: what must never be logged is logged in every way, and none of it comes out."""

import subprocess
import sys

PROGRAM = """
import logging
import structlog
from bot.log import configure
configure({shape!r}, "debug")
log = structlog.get_logger("canary")
log.info("sent to +254712345678", access_token="EAAcanarytoken123", nested={{"passkey": "canarypass"}})
log.info("called", url="https://x.example/hooks/" + "ab" * 32, header="Authorization: Bearer canarybearer")
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
        for canary in ("canary" + rest for rest in ("token", "pass", "bearer", "db")):
            assert canary not in text
        for canary in ("0712345678", "254712345678", "abababab", "Y2FuYXJ5"):
            assert canary not in text


def test_what_is_needed_to_find_a_fault_comes_out():
    text = printed("json")
    assert "********5678" in text
    assert '"seq": 123456789' in text
    assert "K7Q2XM" in text
    assert "Traceback" in text
    assert "ValueError: no route to ********5678" in text
