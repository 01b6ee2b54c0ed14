"""Window: for 24 hours after a person's message WhatsApp lets us write to them freely."""

from datetime import datetime, timedelta

OPEN_FOR = timedelta(hours=24)


def is_open(heard_at: datetime | None, now: datetime) -> bool:
    """Of a conversation that was heard last at this time, if ever."""
    return heard_at is not None and now < heard_at + OPEN_FOR
