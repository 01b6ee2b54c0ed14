"""Points: one that is armed kills the process, and nothing else does anything."""

import re
import signal
import subprocess
import sys
import timeit
from pathlib import Path

import pytest

from services import points
from services.points import POINTS, Crash, NoSuchPoint, parse, point

ROOT = Path(__file__).parents[2]
PASSES = """
from services.points import arm, parse, point
arm(parse({crash!r}))
for name in {passed!r}:
    point(name)
    print(name)
"""


def passing(crash, *passed):
    """(exit code, what was said)"""
    command = [sys.executable, "-u", "-c", PASSES.format(crash=crash, passed=passed)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)
    return done.returncode, done.stdout.split()


def test_the_nth_passing_kills_and_no_other():
    passed = ("payout.begun", "payout.kept", "payout.kept", "payout.begun", "payout.kept")
    assert passing("payout.kept:2", *passed) == (-signal.SIGKILL, ["payout.begun", "payout.kept"])
    assert passing("payout.begun", *passed) == (-signal.SIGKILL, [])
    assert passing("payout.answered", *passed) == (0, list(passed))


def test_where_none_is_armed_a_point_costs_next_to_nothing():
    for name in POINTS:
        point(name)
    assert timeit.timeit(lambda: point("payout.begun"), number=10_000) < 0.1  # seconds; a turn takes 1 ms


def test_what_is_no_point_is_refused():
    assert parse("payout.begun") == Crash("payout.begun", 1)
    assert parse("payout.begun:12") == Crash("payout.begun", 12)
    for wrong in ("", "payout", "payout.begun:", "payout.begun:0", "payout.begun:x", "payout.begun:²"):
        with pytest.raises(NoSuchPoint):
            parse(wrong)


def test_all_points_are_passed_somewhere_and_all_that_are_passed_are_known():
    """By their names as they stand in the code; those with a part that is not written out are known by it."""
    sources = [*ROOT.glob("bot/**/*.py"), *ROOT.glob("services/**/*.py")]
    found = {name for path in sources for name in re.findall(r'\bpoint\(f?"([^"]+)"\)', path.read_text())}
    patterns = {re.sub(r"\\\{.*?\\\}", ".+", re.escape(name)) for name in found}
    assert [name for name in POINTS if not any(re.fullmatch(p, name) for p in patterns)] == []
    assert [p for p in patterns if not any(re.fullmatch(p, name) for name in POINTS)] == []


@pytest.fixture
def disarmed():
    yield
    points.arm(None)


def test_what_is_armed_can_be_disarmed(disarmed):
    points.arm(Crash("payout.begun"))
    points.arm(None)
    point("payout.begun")
