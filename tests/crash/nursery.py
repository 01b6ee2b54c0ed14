"""Nursery: starts processes of the program, and ends with the last of them."""

import asyncio
import itertools
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.processes import Process, begin


@dataclass
class Child:
    """`ended`: its exit code."""

    log: Path
    ended: "asyncio.Future[int]"
    process: Process

    def kill(self) -> None:
        if not self.ended.done():
            self.process.send_signal(signal.SIGKILL)


@dataclass
class Nursery:
    """`environment`: of all that are started."""

    folder: Path
    environment: dict[str, str]
    fresh: bool
    _children: list[Child] = field(default_factory=list)
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def start(self, *arguments: str, **more: str) -> Child:
        log = self.folder / f"{arguments[0]}-{next(self._numbers)}.log"
        process = begin(arguments, self.folder, self.environment | more, log, fresh=self.fresh)
        child = Child(log, asyncio.ensure_future(asyncio.to_thread(process.wait)), process)
        self._children.append(child)
        return child

    async def run(self, *arguments: str) -> str:
        """What a command has said. Raises where it does not end with 0."""
        child = self.start(*arguments)
        async with asyncio.timeout(60):
            code = await asyncio.shield(child.ended)
        assert code == 0, (arguments, code, child.log.read_text())
        return child.log.read_text()

    async def end(self) -> None:
        for child in self._children:
            child.kill()
        await asyncio.gather(*(child.ended for child in self._children))


@asynccontextmanager
async def nursery(folder: Path, environment: dict[str, str], *, fresh: bool) -> AsyncIterator[Nursery]:
    made = Nursery(folder, environment, fresh)
    try:
        yield made
    finally:
        await made.end()
