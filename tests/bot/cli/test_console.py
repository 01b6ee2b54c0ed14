"""What commands print for programs."""

import json
from datetime import datetime, timedelta, timezone
from uuid import UUID

from bot.cli.console import show

NAIROBI = timezone(timedelta(hours=3))


def test_times_are_told_as_the_api_tells_them(capsys):
    show({"expires_at": datetime(2027, 11, 29, 15, 4, 5, 678, NAIROBI), "id": UUID(int=7), "kept": None})
    assert json.loads(capsys.readouterr().out) == {
        "expires_at": "2027-11-29T12:04:05.000678Z",
        "id": str(UUID(int=7)),
        "kept": None,
    }
