"""The benchmarks: `python -m tests.bench [--kinds|--postings|--slow|--api] [--rounds 3] [--seconds 5]
[--write]`.

Takes about a quarter of an hour with the defaults; `--kinds`, `--postings` and `--api` a minute or two,
`--slow` five.
Prints as it goes; `--write` makes docs/performance.md, or the section that was measured alone.
"""

import argparse
import asyncio
import sys

from tests.bench.api import TITLE as API_TITLE
from tests.bench.api import api, measure_api
from tests.bench.measures import Figures, measure, measure_kinds
from tests.bench.page import KINDS_TITLE, kinds, page, plot, with_section
from tests.bench.postings import TITLE, measure_postings, postings
from tests.bench.slow import TITLE as SLOW_TITLE
from tests.bench.slow import measure_slow, slow
from tests.bench.stand import NothingToMeasureWith
from tests.processes import ROOT

_PAGE, _PLOT = ROOT / "docs/performance.md", ROOT / "docs/images/performance.svg"


# Sections that can be measured alone: how, and their heading and text on the page.
_ALONE = {
    "kinds": (measure_kinds, KINDS_TITLE, kinds),
    "postings": (measure_postings, TITLE, postings),
    "slow": (measure_slow, SLOW_TITLE, slow),
    "api": (measure_api, API_TITLE, api),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument(
        "--kinds", dest="alone", action="store_const", const="kinds", help="turns by kind only"
    )
    parser.add_argument(
        "--postings", dest="alone", action="store_const", const="postings", help="postings only"
    )
    parser.add_argument(
        "--slow", dest="alone", action="store_const", const="slow", help="turns beside slow providers only"
    )
    parser.add_argument("--api", dest="alone", action="store_const", const="api", help="the API only")
    parser.add_argument("--write", action="store_true", help="write docs/performance.md and its plot")
    chosen = parser.parse_args()
    figures = Figures(chosen.seconds, chosen.rounds)
    try:
        if chosen.alone:
            _one_section(figures, chosen.alone, write=chosen.write)
        else:
            _all(figures, write=chosen.write)
    except NothingToMeasureWith as error:
        sys.exit(f"The bench needs {error}.")


def _one_section(figures: Figures, name: str, *, write: bool) -> None:
    measured, title, section = _ALONE[name]
    asyncio.run(measured(figures, _say))
    text = section(figures)
    sys.stdout.write("\n" + "\n".join(text))
    if write:
        _PAGE.write_text(with_section(_PAGE.read_text(), title, text))


def _all(figures: Figures, *, write: bool) -> None:
    asyncio.run(measure(figures, _say))
    asyncio.run(measure_postings(figures, _say))
    asyncio.run(measure_slow(figures, _say))
    asyncio.run(measure_api(figures, _say))
    whole = (*page(figures), *postings(figures), *slow(figures), *api(figures))
    sys.stdout.write("\n" + (text := "\n".join(whole)))
    if write:
        _PLOT.parent.mkdir(exist_ok=True)
        _PLOT.write_text(plot(figures))
        _PAGE.write_text(text)


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


if __name__ == "__main__":
    main()
