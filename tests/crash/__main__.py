"""The long proof: `python -m tests.crash [--rounds 50] [--points 'batch.*'] [--waiting] [--forked]`.

In each round the process is killed once at every point of services/points.py, each time in a scene of its
own, and started again. After the scenes of a round the books are proven, and the emulators' own books are
compared with them. Ends with 1 where anything was lost, doubled, not reached or never at rest.

`--waiting` waits for the leases of the dead as one has to in life: the times of the table are then those that
a shop would see. `--forked` starts processes of one that has loaded the program, which is quicker.
`--abreast`: installations side by side, which share the points of a round.
"""

import argparse
import asyncio
import secrets
import signal
import sys
import time
import traceback
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from fnmatch import fnmatch
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy.engine import make_url

from tests import servers
from tests.conftest import administer
from tests.crash.ground import Ground, ground
from tests.crash.plan import ENDING, OPENING, Run, alone
from tests.crash.proof import prove
from tests.crash.scenes import Never, Scenes
from tests.crash.table import LOST, NOT_REACHED, UNPROVEN, Table
from tests.crash.webhook_scenes import WebhookScenes


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--points", default="*", help="patterns of those to kill it at, between commas")
    parser.add_argument("--on", default="sqlite,postgres", help="databases, between commas")
    parser.add_argument("--waiting", action="store_true", help="leases run out by themselves")
    parser.add_argument("--forked", action="store_true", help="spare the seconds that loading takes")
    parser.add_argument("--abreast", type=int, default=0, help="2, with --waiting 8")
    chosen = parser.parse_args()
    abreast = chosen.abreast or (8 if chosen.waiting else 2)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # in the background it would be deaf to it
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    runs = [run for run in alone() if any(fnmatch(run.points[-1], each) for each in chosen.points.split(","))]
    table, began = Table(), time.monotonic()
    try:
        for database in chosen.on.split(","):
            how = {"patient": chosen.waiting, "fresh": not chosen.forked}
            asyncio.run(_rounds(database, chosen.rounds, runs, abreast, table, how))
    except* AssertionError as failed:
        traceback.print_exception(failed)
        table.add("all", "the books", UNPROVEN, 0.0)
    except* KeyboardInterrupt:
        _say("Broken off; what came of it until then:")
    sys.stdout.write("\n".join([*table.lines(), ""]))
    _say(f"{table.kills} kills in {time.monotonic() - began:.0f} s, {table.bad} of them bad")
    sys.exit(1 if table.bad else 0)


async def _rounds(
    database: str, rounds: int, runs: Sequence[Run], abreast: int, table: Table, how: dict[str, Any]
) -> None:
    """Each installation lives through all rounds, and its books grow."""
    async with asyncio.TaskGroup() as group:
        for n in range(abreast):
            group.create_task(_lives(database, rounds, runs[n::abreast], table, how))


async def _lives(database: str, rounds: int, runs: Sequence[Run], table: Table, how: dict[str, Any]) -> None:
    with TemporaryDirectory() as folder:
        async with (
            _database(database, Path(folder)) as url,
            ground(Path(folder), url, **how) as place,
        ):
            scenes = WebhookScenes(place)
            await _played(place, scenes, OPENING)
            for number in range(1, rounds + 1):
                began = time.monotonic()
                for run in runs:
                    table.add(database, run.points[-1], *await _played(place, scenes, run))
                await _played(place, scenes, ENDING)
                await place.end()
                await prove(place, scenes)
                took = f"{len(runs)} points in {time.monotonic() - began:.0f} s, {table.bad} bad so far"
                _say(f"{database}, round {number} of {rounds}: {took}; proven")


async def _played(place: Ground, scenes: Scenes, run: Run) -> tuple[str, float]:
    """What came of it, and after how many seconds."""
    place.reached.clear()
    await place.begin(run.points)
    try:
        outcome = await getattr(scenes, run.scene)()
    except Never as never:
        _say(f"{run}: {never}")
        outcome = LOST
    rested_at = time.monotonic()
    if not await place.killed(run.points):
        outcome = NOT_REACHED
    return outcome, max(0.0, rested_at - place.restarted_at)


@asynccontextmanager
async def _database(kind: str, folder: Path) -> AsyncIterator[str]:
    """The address of an empty one."""
    if kind == "sqlite":
        yield f"sqlite+aiosqlite:///{folder}/lipachat.db"
        return
    server = servers.postgres_url()
    if server is None:
        sys.exit("There is no PostgreSQL: set LIPACHAT_TEST_POSTGRES, or choose --on sqlite.")
    name = f"lipachat_crash_{secrets.token_hex(4)}"
    await administer(make_url(server), f'CREATE DATABASE "{name}"')
    try:
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        await administer(make_url(server), f'DROP DATABASE "{name}" WITH (FORCE)')


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")


if __name__ == "__main__":
    main()
