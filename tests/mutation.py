"""How many changes of the money's core tests notice: `python -m tests.mutation [--sample 150] [--seed 1]`.

mutmut (the extra `mutation`) changes the code in some seven thousand ways, too many to try; so of each
package so many are drawn, by the seed, among all that it makes, and only those are run, one at a time.
A mutant that runs out of time counts as killed, one that no chosen test reaches as survived. What only
PostgreSQL runs (`_ELSEWHERE`) is left out: the tests are run on SQLite, which is many times quicker. There
is no score where some were not judged: mutmut tries the quickest first, so that part would be no fair sample.
"""

import argparse
import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import Path

PACKAGES = ("services.ledger*", "services.approval*", "services.withdrawals*")
_ELSEWHERE = ("*.x__post_postgres__*", "services.ledger.sql.*")
_KILLED = {
    1: "killed",
    3: "killed",
    36: "timeout",
    24: "timeout",
    -24: "timeout",
    152: "timeout",
    255: "timeout",
}
_SURVIVED = {0: "survived", 5: "no tests", 33: "no tests"}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--sample", type=int, default=150, help="mutants of each package")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default=",".join(PACKAGES), help="packages, between commas")
    asked = parser.parse_args()
    packages = asked.only.split(",")
    if not _verdicts():
        _run(["no.such.mutant"])  # makes them and learns which test reaches what, then finds none to try
    made = _verdicts()
    drawn = {package: draw(made, package, asked.sample, asked.seed) for package in packages}
    _run([name for names in drawn.values() for name in names])
    sys.stdout.write(table(drawn, made, _verdicts()) + "\n")


def draw(made: Iterable[str], package: str, size: int, seed: int) -> list[str]:
    """The same for the same code and seed."""
    names = sorted(name for name in made if fnmatch(name, package) and not _elsewhere(name))
    return sorted(random.Random(f"{seed} {package}").sample(names, min(size, len(names))))


def _elsewhere(name: str) -> bool:
    return any(fnmatch(name, each) for each in _ELSEWHERE)


def table(drawn: dict[str, list[str]], made: Iterable[str], verdicts: dict[str, int | None]) -> str:
    """Markdown. Exit codes are pytest's and mutmut's own; None where it was not run."""
    made = list(made)
    lines = ["| | mutants | drawn | judged | killed | survived | score |", "|---|--:|--:|--:|--:|--:|--:|"]
    survivors = []
    for package, names in drawn.items():
        count = Counter(_verdict(verdicts.get(name)) for name in names)
        killed, survived = count["killed"] + count["timeout"], count["survived"] + count["no tests"]
        judged = killed + survived
        score = f"{killed / judged:.0%}" if judged == len(names) > 0 else ""
        of = sum(fnmatch(name, package) for name in made)
        lines.append(f"| `{package}` | {of} | {len(names)} | {judged} | {killed} | {survived} | {score} |")
        survivors += [f"- `{name}`" for name in names if verdicts.get(name) in _SURVIVED]
    return "\n".join([*lines, "", "Survivors (`mutmut show NAME`):", "", *survivors])


def _verdict(code: int | None) -> str:
    if code is None:
        return "not run"
    return _KILLED.get(code) or _SURVIVED.get(code) or "suspicious"


def _verdicts() -> dict[str, int | None]:
    """mutmut's exit code for each mutant that it has made."""
    found: dict[str, int | None] = {}
    for path in sorted(Path("mutants").rglob("*.py.meta")):
        found |= json.loads(path.read_text())["exit_code_by_key"]
    return found


def _run(names: list[str]) -> None:
    done = subprocess.run(["mutmut", "run", "--max-children", "1", *names], check=False)
    if done.returncode and names != ["no.such.mutant"]:
        sys.exit(done.returncode)


if __name__ == "__main__":
    main()
