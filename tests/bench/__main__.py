"""The benchmarks: `python -m tests.bench [--kinds] [--rounds 3] [--seconds 5] [--write]`.

Takes about eight minutes with the defaults, one with `--kinds`. Prints as it goes; `--write` makes
docs/performance.md, or its section of turns by kind.
"""

import argparse
import asyncio
import sys

from tests.bench.measures import Figures, measure, measure_kinds
from tests.bench.page import kinds, page, plot, with_kinds
from tests.bench.stand import NothingToMeasureWith
from tests.e2e.installation import ROOT

_PAGE, _PLOT = ROOT / "docs/performance.md", ROOT / "docs/images/performance.svg"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--kinds", action="store_true", help="only the turns by kind")
    parser.add_argument("--write", action="store_true", help="write docs/performance.md and its plot")
    chosen = parser.parse_args()
    figures = Figures(chosen.seconds, chosen.rounds)
    try:
        asyncio.run((measure_kinds if chosen.kinds else measure)(figures, _say))
    except NothingToMeasureWith as error:
        sys.exit(f"The bench needs {error}.")
    sys.stdout.write("\n" + ("\n".join(kinds(figures)) if chosen.kinds else page(figures)))
    if chosen.write:
        _write(figures, only_kinds=chosen.kinds)


def _write(figures: Figures, *, only_kinds: bool) -> None:
    if only_kinds:
        _PAGE.write_text(with_kinds(_PAGE.read_text(), figures))
        return
    _PLOT.parent.mkdir(exist_ok=True)
    _PLOT.write_text(plot(figures))
    _PAGE.write_text(page(figures))


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


if __name__ == "__main__":
    main()
