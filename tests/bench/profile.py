"""Profile: where the time of a turn goes, by layer, sampled from the running process by py-spy."""

import asyncio
import tempfile
from collections import Counter
from pathlib import Path

from tests.bench.stand import NothingToMeasureWith, Running

Shares = dict[str, float]

# The first layer whose word stands in a frame, from the innermost frame outwards, has the sample.
_LAYERS = (
    ("flows/", "conversation engine"),
    ("babel/", "conversation engine"),
    ("pydantic/", "conversation engine"),
    ("bot/whatsapp/incoming", "reading WhatsApp's JSON"),
    ("bot/whatsapp/struck", "reading WhatsApp's JSON"),
    ("bot/whatsapp/outgoing", "shaping replies"),
    ("safety/vault", "encryption"),
    ("aiohttp/client", "HTTP client"),
    ("aiohttp/connector", "HTTP client"),
    ("bot/whatsapp/client", "HTTP client"),
    ("aiohttp/", "HTTP server"),
    ("asyncpg/", "database driver"),
    ("aiosqlite/", "database driver"),
    ("store/database", "database driver"),
    ("sqlalchemy/", "SQLAlchemy"),
    ("services/", "services"),
    ("bot/", "intake, turns and delivery"),
    ("uvloop", "event loop"),
    ("asyncio/", "event loop"),
)


async def profiled(running: Running, seconds: float) -> Shares:
    """Shares of the samples that held the interpreter, the largest first."""
    with tempfile.TemporaryDirectory() as folder:
        stacks = Path(folder) / "stacks"
        command = ["py-spy", "record", "--gil", "-r", "250", "-f", "raw", "-o", str(stacks)]
        command += ["-d", str(int(seconds)), "-p", str(running.installation.processes[0].pid)]
        try:
            spy = await asyncio.create_subprocess_exec(*command, stdout=-3, stderr=-3)
        except FileNotFoundError:
            raise NothingToMeasureWith("py-spy: pip install -e '.[bench]'") from None
        await running.load(how="turns", seconds=seconds)
        await spy.wait()
        return _shares(stacks.read_text().splitlines())


def _shares(stacks: list[str]) -> Shares:
    counts: Counter[str] = Counter()
    for line in stacks:
        frames, _, times = line.rpartition(" ")
        counts[_layer(frames.split(";"))] += int(times)
    total = sum(counts.values()) or 1
    return {layer: count / total for layer, count in counts.most_common()}


def _layer(frames: list[str]) -> str:
    for frame in reversed(frames):
        for word, layer in _LAYERS:
            if word in frame:
                return layer
    return "event loop"
