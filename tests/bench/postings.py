"""Postings: what the ledger takes a second, beside pgbench's TPC-B on the same PostgreSQL.

TPC-B is three updates, a select and an insert in one commit, so about what a posting is; its client is C, in
two threads. Ours are two processes, as `serve` and `work` are.
"""

import asyncio
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy.engine import make_url

from tests.bench.measures import Figures, machine
from tests.bench.stand import NothingToMeasureWith, database
from tests.e2e.installation import Installation
from tests.processes import ROOT

TITLE = "## Postings"
_RATE = "postings_per_second"
_ABREAST, _SCALE, _MANY, _PROCESSES = 16, 50, 1000, 2
_FEW = 4  # as many as a worker takes callbacks at once
_SPREAD, _ENTERED = "spread over 1,000 wallets", "spread, each with an entry of its own"
# By what the page calls it: the poster's plan, and the target of its ratio to TPC-B.
_POSTGRES: dict[str, tuple[dict[str, Any], float | None]] = {
    _SPREAD: ({"accounts": _MANY, "abreast": _ABREAST}, 0.6),
    f"to one wallet, {_FEW} at once": ({"accounts": 1, "abreast": _FEW}, 0.3),
    f"to one wallet, {_ABREAST} at once": ({"accounts": 1, "abreast": _ABREAST}, None),
    _ENTERED: ({"accounts": _MANY, "abreast": _ABREAST, "audited": True}, None),
}
_POSTING = "a posting"
_TURNS = {"accounts": _MANY, "abreast": _ABREAST, "seconds": 12, "turns": True}
# By the doer's name for it.
_DEEDS = {
    "payment": "a payment is called in",
    "withdrawal": "a withdrawal is asked for",
    "approval": "it is approved",
    "payout": "its payout is called in",
}
_DOING = {"tenants": 20, "deeds": 400, "abreast": _FEW}
_AUDIT_TARGET = 0.10
# The same as TPC-B, all of it on one row of the branches: what the server itself can do of a hot account.
_HOT = "TPC-B on one branch, by pgbench"
_ONE_BRANCH = """\
\\set aid random(1, 100000 * :scale)
\\set tid random(1, 10 * :scale)
\\set delta random(-5000, 5000)
BEGIN;
UPDATE pgbench_accounts SET abalance = abalance + :delta WHERE aid = :aid;
SELECT abalance FROM pgbench_accounts WHERE aid = :aid;
UPDATE pgbench_tellers SET tbalance = tbalance + :delta WHERE tid = :tid;
UPDATE pgbench_branches SET bbalance = bbalance + :delta WHERE bid = 1;
INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) VALUES (:tid, 1, :aid, :delta, CURRENT_TIMESTAMP);
END;
"""
_SQLITE: dict[str, dict[str, Any]] = {
    "one a transaction": {"together": 1},
    "50 a transaction": {"together": 50},
}


async def measure_postings(figures: Figures, say: Callable[[str], None]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with database("postgres", Path(folder)) as url:
            _upgrade(folder, url)
            await _pgbench(url, "-i", "-q", "-s", str(_SCALE))
            for n in range(figures.rounds):
                say(f"round {n + 1} of {figures.rounds}")
                await _beside_tpcb(figures, url, say)
        url = f"sqlite+aiosqlite:///{folder}/postings.db"
        _upgrade(folder, url)
        for _ in range(figures.rounds):
            for name, plan in _SQLITE.items():
                told = await _told(
                    "poster", url=url, seconds=figures.seconds, abreast=4, accounts=_MANY, **plan
                )
                figures.add(f"SQLite, {name}", told)
                say(f"  SQLite, {name:<26} {told[_RATE]:8,.0f} postings/s")


async def _beside_tpcb(figures: Figures, url: str, say: Callable[[str], None]) -> None:
    async def _tps(*script: str) -> float:
        seconds = str(max(1, round(figures.seconds)))
        told = await _pgbench(url, "-n", "-c", str(_ABREAST), "-j", "2", "-T", seconds, *script)
        return float(re.search(r"tps = ([\d.]+)", told)[1])  # type: ignore[index]

    tps = await _tps()
    figures.add("TPC-B", {_RATE: tps})
    say(f"  {'TPC-B by pgbench':<34} {tps:8,.0f} transactions/s")
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(_ONE_BRANCH)
        script.flush()
        hot = await _tps("-f", script.name)
    figures.add(_HOT, {_RATE: hot})
    say(f"  {_HOT:<34} {hot:8,.0f} transactions/s, {hot / tps:.2f} of it")
    for name, (plan, _) in _POSTGRES.items():
        told_ = figures.add(name, await _together(url=url, seconds=figures.seconds, **plan))
        say(f"  {name:<34} {told_[_RATE]:8,.0f} postings/s, {told_[_RATE] / tps:.2f} of it")
    did = figures.add(_POSTING, await _together(url=url, **_TURNS))
    say(f"  {_POSTING:<34} {did['audited']:8,.0f} a second, {did['unaudited']:,.0f} unaudited")
    for deed, name in _DEEDS.items():
        did = figures.add(name, await _told("doer", url=url, deed=deed, **_DOING))
        say(f"  {name:<34} {did['audited']:8,.0f} a second by one process, {did['unaudited']:,.0f} unaudited")


async def _together(abreast: int, **plan: Any) -> dict[str, Any]:
    """By all processes at the same time, `abreast` in all. The waits: of the one that waited longest."""
    each = [_told("poster", abreast=abreast // _PROCESSES, **plan) for _ in range(_PROCESSES)]
    told = await asyncio.gather(*each)
    slowest = max(told, key=lambda one: one["posting_ms"]["p99"])
    rates = {key for key in slowest if key != "posting_ms"}
    return slowest | {rate: sum(one[rate] for one in told) for rate in rates}


async def _told(by: str, **plan: Any) -> dict[str, Any]:
    command = [sys.executable, "-m", f"tests.bench.{by}", json.dumps(plan)]
    told: dict[str, Any] = json.loads(await _run(*command))
    return told


async def _pgbench(url: str, *arguments: str) -> str:
    if not (program := shutil.which("pgbench")):
        raise NothingToMeasureWith("pgbench, which comes with PostgreSQL")
    at = make_url(url)
    server = {
        "PGHOST": at.host,
        "PGPORT": str(at.port or 5432),
        "PGUSER": at.username,
        "PGPASSWORD": at.password,
    }
    known = {name: str(value) for name, value in server.items() if value}
    return await _run(program, *arguments, str(at.database), env=os.environ | known)


async def _run(*command: str, env: Any = None) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env=env, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    said, complained = await process.communicate()
    if process.returncode:
        raise NothingToMeasureWith(f"{command[0]} to end well: {complained.decode()}")
    return said.decode()


def _upgrade(folder: str, url: str) -> None:
    Installation(Path(folder), LIPACHAT_DATABASE_URL=url).run("db", "upgrade")


def postings(figures: Figures) -> list[str]:
    """The section of the page."""
    tpcb = figures.median("TPC-B", _RATE)
    rows = [
        TITLE,
        "",
        "Each posting moves money from one account to another under the locks of both, in a transaction of",
        f"its own, committed to disk, from {_PROCESSES} processes, {_ABREAST} at once in all unless",
        f"said. Beside it `pgbench` runs TPC-B (three updates, a select, an insert; at scale {_SCALE}) by",
        f"{_ABREAST} clients in two threads on the same server.",
        f"{machine()}; medians of {figures.rounds} rounds.",
        "",
        "| PostgreSQL | a second | of TPC-B | target | p50 / p99 |",
        "|---|--:|--:|--:|--:|",
        f"| TPC-B by pgbench | {tpcb:,.0f} | 1.00 | | |",
        f"| {_HOT} | {figures.median(_HOT, _RATE):,.0f} | {figures.ratio(_HOT, 'TPC-B', _RATE):.2f} | | |",
    ]
    for name, (_, target) in _POSTGRES.items():
        wanted = f"{target:.2f}" if target else ""
        rate, ratio = figures.median(name, _RATE), figures.ratio(name, "TPC-B", _RATE)
        rows.append(f"| {name} | {rate:,.0f} | {ratio:.2f} | {wanted} | {_waits(figures, name)} |")
    rows += ["", *_audit(figures), "", "| SQLite | a second | p50 / p99 of a transaction |", "|---|--:|--:|"]
    for short in _SQLITE:
        name = f"SQLite, {short}"
        rows.append(f"| {short} | {figures.median(name, _RATE):,.0f} | {_waits(figures, name)} |")
    return [*rows, ""]


def _audit(figures: Figures) -> list[str]:
    """What the audit costs of a posting, and of each deed that moves money."""
    rows = [
        "What the audit takes of such rates, by turns with it and without it. A posting: that its transfers",
        "are chained and say by which way they came. A deed: its entry in the audit's own chain besides;",
        f"each whole, with all that is committed with it, by one process for {_DOING['tenants']} merchants,",
        f"{_FEW} at once.",
        "",
        "| PostgreSQL | a second | of it the audit | target |",
        "|---|--:|--:|--:|",
    ]
    for name in (_POSTING, *_DEEDS.values()):
        cost = max(0.0, 1 - figures.ratio(name, name, "audited", to_path=("unaudited",)))
        rows.append(f"| {name} | {figures.median(name, 'audited'):,.0f} | {cost:.0%} | {_AUDIT_TARGET:.0%} |")
    entry = _PROCESSES / figures.median(_ENTERED, _RATE) - _PROCESSES / figures.median(_SPREAD, _RATE)
    noise = "took less of a process than rounds differ by"
    takes = f"takes {entry * 1000:.2f} ms of a process" if entry > 0 else noise
    return [
        *rows,
        "",
        f"An entry, which comes with a deed and not with each posting, {takes}",
        "(docs/decisions/0093 and 0107).",
    ]


def _waits(figures: Figures, name: str) -> str:
    p50, p99 = (figures.median(name, "posting_ms", quantile) for quantile in ("p50", "p99"))
    return f"{p50:.1f} / {p99:.1f} ms"
