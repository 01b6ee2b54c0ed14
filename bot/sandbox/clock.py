"""Clock: the time of the sandbox: this machine's, moved on as far as somebody wished."""

from datetime import UTC, datetime, timedelta
from pathlib import Path


class Clock:
    """Goes forward only. `kept` is a file that remembers how far, since a database does not forget times
    that were."""

    def __init__(self, kept: Path) -> None:
        self._kept = kept
        seconds = int(kept.read_text()) if kept.exists() else 0
        self._ahead = timedelta(seconds=seconds)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def forward(self, span: timedelta) -> None:
        self._ahead += span
        self._kept.write_text(str(int(self._ahead.total_seconds())))
