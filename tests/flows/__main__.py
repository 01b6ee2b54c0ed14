"""Plays all transcripts in every language and prints what they cover: `python -m tests.flows`."""

import asyncio
import sys
from collections.abc import Iterator

from flows import graph
from flows.lipachat import SCRIPT
from flows.text import LANGUAGES
from tests.flows.coverage import TRANSCRIPTS, Covered, covered
from tests.flows.messages import of_paid_orders


def main() -> int:
    found = [asyncio.run(covered(language)) for language in LANGUAGES]
    sys.stdout.write("\n".join(_report(found, asyncio.run(of_paid_orders()))) + "\n")
    return 1 if any(each.missing for each in found) else 0


def _report(found: list[Covered], messages: dict[str, int]) -> Iterator[str]:
    steps, edges, openings = len(SCRIPT.steps), len(graph.edges(SCRIPT)), len(graph.openings(SCRIPT))
    yield f"{len(TRANSCRIPTS)} transcripts, played in every language"
    yield ""
    yield _row("", "steps", "edges", "openings")
    for each in found:
        shares = (len(each.steps), steps), (len(each.edges), edges), (len(each.openings), openings)
        yield _row(each.language, *(f"{part}/{whole}" for part, whole in shares))
    for each in found:
        yield from (f"not played in {each.language}: {here} -> {there}" for here, there in each.missing)
    yield ""
    yield "messages to a customer who pays with a saved method, from the asking to the receipt:"
    yield from (_row(name, str(count)) for name, count in messages.items())


def _row(name: str, *cells: str) -> str:
    return f"  {name:<30}" + "".join(f"{cell:>12}" for cell in cells)


if __name__ == "__main__":
    sys.exit(main())
