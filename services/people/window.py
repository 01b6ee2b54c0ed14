"""Window: for 24 hours after a person's message WhatsApp lets us write to them freely."""

from datetime import datetime, timedelta

OPEN_FOR = timedelta(hours=24)
_A_SECOND = timedelta(seconds=1)  # to which times are told
_MOST_ON_THE_WAY = timedelta(days=8)  # for seven it is tried to deliver a message


def is_open(heard_at: datetime | None, now: datetime) -> bool:
    """Of a conversation that was heard last at this time, if ever."""
    return heard_at is not None and now < heard_at + OPEN_FOR


def opened_at(
    written: datetime | None, received: datetime, now: datetime, before: datetime | None
) -> datetime:
    """When a message opened it: as it was written, however late it came or is played. A time that cannot be
    is not believed; and an older message that comes later than a newer one closes nothing."""
    if written is None or received - written > _MOST_ON_THE_WAY:
        opened = received
    else:
        opened = min(now, written + _A_SECOND)
    return opened if before is None else max(before, opened)
