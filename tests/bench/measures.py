"""Measures: what is run, and against what. Every ratio is to a reference taken in the same round."""

import asyncio
import platform
import statistics
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests import servers
from tests.bench.profile import Shares, profiled
from tests.bench.stand import Running, lipachat, load, module

BACKENDS = ("sqlite", "postgres")
NAMES = {"sqlite": "SQLite", "postgres": "PostgreSQL"}
OPEN_RATE, PEER_RATE = 600, 300
KIND_RATE = 40  # so few that a turn waits for none before it
CASHIER = 254722000001  # in the sandbox's tenant file
# What is heard, by what the page calls it.
KINDS: dict[str, dict[str, Any]] = {
    "menu": {"text": "menu"},
    "help": {"text": "help"},
    "a voice note": {"text": None},
    "pay 500": {"text": "pay 500"},
    "methods": {"text": "methods"},
    "shop": {"text": "shop"},
    "cart": {"text": "cart"},
    "orders": {"text": "orders"},
    "receipt": {"text": "receipt"},
    "balance, by staff": {"text": "balance", "first_phone": CASHIER, "conversations": 1},
}


@dataclass
class Figures:
    """Runs by name, in the order of the rounds; times are milliseconds, rates are per second."""

    seconds: float
    rounds: int
    runs: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    shares: dict[str, Shares] = field(default_factory=dict)
    starts: dict[str, tuple[float, float]] = field(default_factory=dict)  # seconds, MB
    lost: dict[str, int] = field(default_factory=dict)

    def add(self, name: str, told: dict[str, Any]) -> dict[str, Any]:
        self.runs.setdefault(name, []).append(told)
        return told

    def median(self, name: str, *path: str) -> float:
        return statistics.median(_at(run, path) for run in self.runs[name])

    def ratio(self, name: str, to: str, *path: str, to_path: tuple[str, ...] | None = None) -> float:
        """The median of the ratios of each round."""
        pairs = zip(self.runs[name], self.runs[to], strict=True)
        return statistics.median(_at(run, path) / _at(base, to_path or path) for run, base in pairs)


def _at(run: dict[str, Any], path: tuple[str, ...]) -> float:
    value: Any = run
    for key in path:
        value = value[key]
    return float(value)


async def measure(figures: Figures, say: Callable[[str], None]) -> None:
    for n in range(figures.rounds):
        say(f"round {n + 1} of {figures.rounds}")
        await _intake(figures, say)
        await _turns(figures, say)
    await measure_kinds(figures, say)
    for backend in BACKENDS:
        async with lipachat(backend) as running:
            say(f"profile on {NAMES[backend]}")
            figures.shares[backend] = await profiled(running, figures.seconds)


async def measure_kinds(figures: Figures, say: Callable[[str], None]) -> None:
    """How long a turn takes where there is no throng, by what it is about, at a merchant who sells goods."""
    for backend in BACKENDS:
        async with lipachat(backend, sells=True) as running:
            for kind, heard in KINDS.items():
                plan = {"how": "turns", "seconds": figures.seconds, "rate": KIND_RATE, "conversations": 64}
                told = figures.add(f"{backend} kind {kind}", await running.load(**plan | heard))
                say(f"  {NAMES[backend]:<12} {kind:<20}  median {told['turn_ms']['p50']:.1f} ms")


# --- intake ------------------------------------------------------------------------------------------


async def _intake(figures: Figures, say: Callable[[str], None]) -> None:
    plan = {"how": "acks", "seconds": figures.seconds}
    with module("floor", port := servers.free_port()):
        told = figures.add("floor", await _load(**plan, port=port, graph_port=servers.free_port()))
        say(f"  floor, bare aiohttp with HMAC      {told['acks_per_second']:8,.0f} acks/s")
    for backend in BACKENDS:
        async with lipachat(backend, worker=False) as running:
            told = figures.add(f"intake {backend}", await running.load(**plan))
            say(f"  intake on {NAMES[backend]:<12}             {told['acks_per_second']:8,.0f} acks/s")
            rate = told["acks_per_second"] / 2
            told = figures.add(f"half {backend}", await running.load(**plan, rate=rate, connections=256))
            say(f"    at half of it                    p99 {told['ack_ms']['p99']:.1f} ms")


# --- turns -------------------------------------------------------------------------------------------


async def _turns(figures: Figures, say: Callable[[str], None]) -> None:
    with _peer() as ports:
        told = figures.add("peer", await _load(how="turns", seconds=figures.seconds, **ports))
        say(f"  peer, pywa with FastAPI            {told['replies_per_second']:8,.0f} replies/s")
    with _peer() as ports:  # a new one: it does not recover from an overload
        figures.add("peer open", await _open(lambda **p: _load(**p, **ports), figures, PEER_RATE))
    for backend in BACKENDS:
        for processes in (1, 2):
            name = f"{backend} {processes}"
            async with lipachat(backend, processes) as running:
                await _turns_of(figures, name, running, say)
                figures.starts[name] = (running.start_seconds, running.idle_mb)


async def _turns_of(figures: Figures, name: str, running: Running, say: Callable[[str], None]) -> None:
    plan = {"seconds": figures.seconds}
    told = figures.add(name, await running.load(how="turns", **plan))
    say(f"  {name:<12} turns                 {told['replies_per_second']:8,.0f} replies/s")
    # Of a burst that asks the same again only the last is answered, so that each asks something else.
    over = figures.add(f"{name} overload", await running.load(how="overload", text="pay x#", **plan))
    say(f"  {name:<12} overload              {over['replies_per_second']:8,.0f} replies/s")
    figures.lost[name] = figures.lost.get(name, 0) + over["sent"] - over["replies"]
    opened = figures.add(f"{name} open", await _open(running.load, figures, OPEN_RATE))
    say(f"  {name:<12} at {OPEN_RATE} a second       p99 {opened['turn_ms']['p99']:.1f} ms")
    pay = figures.add(f"{name} pay", await running.load(how="turns", text="pay 500", **plan))
    say(f"  {name:<12} pay 500               {pay['replies_per_second']:8,.0f} replies/s")


async def _open(run: Callable[..., Awaitable[dict[str, Any]]], figures: Figures, rate: int) -> dict[str, Any]:
    return await run(
        how="turns", seconds=figures.seconds, rate=rate, connections=256, conversations=256, warmup=2.0
    )


@contextmanager
def _peer() -> Iterator[dict[str, int]]:
    port, graph_port = servers.free_port(), servers.free_port()
    with module("peer", port, graph_port):
        yield {"port": port, "graph_port": graph_port}


async def _load(**plan: Any) -> dict[str, Any]:
    return await asyncio.to_thread(load, **plan)


def machine() -> str:
    """What it was measured on, in a line."""
    cpu = next(
        (line.split(":")[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")), "?"
    )
    cores = sum(line.startswith("processor") for line in _lines("/proc/cpuinfo"))
    return f"{cores} cores of {cpu}; {platform.python_implementation()} {platform.python_version()}"


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines()
