"""The benchmarks: `python -m tests.bench [--rounds 3] [--seconds 5] [--write]`.

Takes about seven minutes with the defaults. Prints as it goes; `--write` makes docs/performance.md.
"""

import argparse
import asyncio
import sys

from tests.bench.measures import Figures, measure
from tests.bench.page import page, plot
from tests.bench.stand import NothingToMeasureWith
from tests.e2e.installation import ROOT


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--write", action="store_true", help="write docs/performance.md and its plot")
    chosen = parser.parse_args()
    figures = Figures(chosen.seconds, chosen.rounds)
    try:
        asyncio.run(measure(figures, _say))
    except NothingToMeasureWith as error:
        sys.exit(f"The bench needs {error}.")
    sys.stdout.write("\n" + page(figures))
    if chosen.write:
        (ROOT / "docs/images").mkdir(exist_ok=True)
        (ROOT / "docs/images/performance.svg").write_text(plot(figures))
        (ROOT / "docs/performance.md").write_text(page(figures))


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


if __name__ == "__main__":
    main()
