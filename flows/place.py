"""Place: where a person stands, between two turns. JSON, sealed by who stores it."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from flows.step import Step

_MOST_THREADS = 30  # each a few hundred bytes; the oldest is answered by `revive` when it is tapped


class Stand(BaseModel):
    """Where a thread stands: its step, the nonce of the asking, and when that was where it grows old."""

    model_config = ConfigDict(frozen=True)

    step: Step
    nonce: str
    page: int = 0
    asked_at: datetime | None = None

    def once_said(self) -> "Stand":
        step = self.step.once_said()
        return self if step is self.step else self.model_copy(update={"step": step})


class _Kept(BaseModel):
    step: str
    facts: dict[str, Any]
    nonce: str
    page: int = 0
    asked_at: datetime | None = None


class _Place(BaseModel):
    """Threads in the order in which they last spoke."""

    threads: dict[str, _Kept] = {}
    missed: list[str] = []
    listening: str | None = None


class Place:
    """`outdated`: threads whose step a release has changed or removed; they are left. `listening`: the
    thread whose question any words answer, as long as the person does nothing else. `missed`: what was not
    understood since anything was; empty where it was no words."""

    def __init__(self, kept: bytes | None, steps: dict[str, type[Step]]) -> None:
        self.threads: dict[str, Stand] = {}
        self.outdated: set[str] = set()
        place = _read(kept)
        self.missed, self.listening = place.missed, place.listening
        for thread, one in place.threads.items():
            try:
                step = steps[one.step].model_validate(one.facts)
            except (KeyError, ValidationError):
                self.outdated.add(thread)
            else:
                self.threads[thread] = Stand.model_construct(
                    step=step, nonce=one.nonce, page=one.page, asked_at=one.asked_at
                )

    def put(self, thread: str, stand: Stand) -> None:
        """The latest to speak is last."""
        self.threads.pop(thread, None)
        self.threads[thread] = stand
        if stand.step.any_words:
            self.listening = thread
        while len(self.threads) > _MOST_THREADS:
            del self.threads[next(iter(self.threads))]

    def leave(self, thread: str) -> None:
        self.threads.pop(thread, None)

    def latest(self) -> list[tuple[str, Stand]]:
        """The threads, the last to speak first."""
        return list(reversed(self.threads.items()))

    def taken_over(self) -> tuple[str, Stand] | None:
        """The thread that everything typed is for, where there is one."""
        return next((each for each in self.latest() if each[1].step.takes_over), None)

    def dump(self) -> bytes:
        """JSON, of which a place is made again."""
        threads = {
            thread: _Kept(
                step=type(stand.step).__name__,
                facts=stand.step.model_dump(mode="json"),
                nonce=stand.nonce,
                page=stand.page,
                asked_at=stand.asked_at,
            )
            for thread, stand in self.threads.items()
        }
        place = _Place(threads=threads, missed=self.missed, listening=self.listening)
        return place.model_dump_json().encode()


def _read(kept: bytes | None) -> _Place:
    if kept is None:
        return _Place()
    try:
        return _Place.model_validate_json(kept)
    except ValidationError:  # written by another release
        return _Place()
