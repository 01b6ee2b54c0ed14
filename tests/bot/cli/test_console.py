"""What commands print, for programs and for people."""

import json
from datetime import datetime, timedelta, timezone
from uuid import UUID

import pytest
import typer

from bot.cli.console import refusals, show
from services.safety.vault import Vault

NAIROBI = timezone(timedelta(hours=3))


def test_times_are_told_as_the_api_tells_them(capsys):
    show({"expires_at": datetime(2027, 11, 29, 15, 4, 5, 678, NAIROBI), "id": UUID(int=7), "kept": None})
    assert json.loads(capsys.readouterr().out) == {
        "expires_at": "2027-11-29T12:04:05.000678Z",
        "id": str(UUID(int=7)),
        "kept": None,
    }


def test_a_secret_key_that_is_missing_is_said_in_a_sentence(capsys):
    sealed = Vault([b"1" * 32]).seal(b"token", UUID(int=7), "credentials.sealed", "whatsapp")
    with pytest.raises(typer.Exit) as left, refusals():
        Vault([b"2" * 32]).open(sealed, UUID(int=7), "credentials.sealed", "whatsapp")
    told = capsys.readouterr()
    assert (left.value.exit_code, told.out) == (1, "")
    assert told.err == (
        "No key in LIPACHAT_SECRET_KEYS opens credentials.sealed. "
        "Put the key that it was sealed under behind the others.\n"
    )
