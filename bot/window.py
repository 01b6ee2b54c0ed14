"""Window: for 24 hours after a person's message WhatsApp lets us write to them freely."""

from datetime import datetime, timedelta

_A_SECOND = timedelta(seconds=1)  # to which Meta tells its times
_KEPT_BY_META = timedelta(days=8)  # it tries to deliver for seven


def opened_at(
    written: datetime | None, received: datetime, now: datetime, before: datetime | None
) -> datetime:
    """When a message opened it: as it was written, however late it came or is played. A time that cannot be
    is not believed; and an older message that comes later than a newer one closes nothing."""
    if written is None or received - written > _KEPT_BY_META:
        opened = received
    else:
        opened = min(now, written + _A_SECOND)
    return opened if before is None else max(before, opened)
