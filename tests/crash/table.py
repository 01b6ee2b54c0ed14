"""Table: what came of each point, on each database, over all rounds."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median


@dataclass
class Table:
    """`add` a time that a process was killed; `lines` of Markdown."""

    _outcomes: dict[tuple[str, str], "Counter[str]"] = field(default_factory=lambda: defaultdict(Counter))
    _seconds: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))

    def add(self, database: str, point: str, outcome: str, seconds: float) -> None:
        """`seconds` from the start after the kill until its money was at rest."""
        self._outcomes[point, database][outcome] += 1
        self._seconds[point, database].append(seconds)

    @property
    def kills(self) -> int:
        return sum(outcomes.total() for outcomes in self._outcomes.values())

    @property
    def bad(self) -> int:
        return sum(outcomes[each] for outcomes in self._outcomes.values() for each in outcomes if each in BAD)

    def lines(self) -> Iterator[str]:
        yield "| point | database | killed | outcome | seconds to rest: median | most |"
        yield "|---|---|---:|---|---:|---:|"
        for (point, database), outcomes in sorted(self._outcomes.items()):
            told = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
            took = self._seconds[point, database]
            middle, most = f"{median(took):.1f}", f"{max(took):.1f}"
            yield f"| {point} | {database} | {outcomes.total()} | {told} | {middle} | {most} |"


NOT_REACHED, LOST, UNPROVEN = "not reached", "never at rest", "not proven"
BAD = frozenset({NOT_REACHED, LOST, UNPROVEN})
