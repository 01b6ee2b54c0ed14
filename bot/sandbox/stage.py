"""Stage: what all emulators of one sandbox share."""

from collections import deque
from dataclasses import dataclass, field

from bot.sandbox.faults import Faults
from bot.sandbox.feed import Feed
from bot.sandbox.ids import Ids
from bot.sandbox.wire import Wire
from bot.sandbox.world import Json, Phone, World


@dataclass(frozen=True, slots=True)
class Stage:
    world: World
    ids: Ids
    feed: Feed
    faults: Faults
    wire: Wire
    lines: deque[Json] = field(default_factory=lambda: deque(maxlen=60))
    _shared: dict[str, Phone] = field(default_factory=dict)

    @property
    def now_ms(self) -> int:
        return int(self.world.now().timestamp() * 1000)

    def log(self, who: str, text: str, *, good: bool = True) -> None:
        """A line of the page's event list; `who` is the emulator that speaks."""
        line = {"at": self.now_ms, "who": who, "text": text, "good": good}
        self.lines.append(line)
        self.feed.tell("log", line)

    def holder(self, number: str) -> Phone | None:
        """The phone on which a number rings (E.164 with or without plus)."""
        line = "+" + number.lstrip("+")
        owner = next((phone for phone in self.world.everybody if phone.line == line), None)
        return owner or self._shared.get(line)

    def share(self, number: str, phone: Phone) -> None:
        """From now on the number rings on that phone, unless it is another's."""
        if self.holder(number) is None:
            self._shared["+" + number.lstrip("+")] = phone

    def forget_shared(self) -> None:
        self._shared.clear()


def stage_of(world: World) -> Stage:
    """A new one, on which nothing has happened."""
    feed = Feed(world.seed)
    return Stage(world, Ids(world.seed), feed, Faults(feed), Wire())
