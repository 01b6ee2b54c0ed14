"""Nursery: starts processes of the app, forked of one that has it loaded, or fresh as an operator does."""

import asyncio
import itertools
import json
import os
import signal
import sys
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.e2e.installation import ROOT, inherited


@dataclass
class Child:
    pid: int
    log: Path
    ended: "asyncio.Future[int]"

    def kill(self) -> None:
        if not self.ended.done():
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)


@dataclass
class Nursery:
    """`environment`: of all that are started."""

    folder: Path
    environment: dict[str, str]
    _mother: asyncio.subprocess.Process | None = None
    _children: dict[int, Child] = field(default_factory=dict)
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)
    _births: "deque[asyncio.Future[int]]" = field(default_factory=deque)

    async def start(self, *arguments: str, **more: str) -> Child:
        log = self.folder / f"{arguments[0]}-{next(self._numbers)}.log"
        told = self.environment | more
        if self._mother is None:
            child = await self._fresh(arguments, told, log)
        else:
            child = await self._forked(arguments, told, log)
        self._children[child.pid] = child
        return child

    async def run(self, *arguments: str) -> str:
        """What a command has said. Raises where it does not end with 0."""
        child = await self.start(*arguments)
        async with asyncio.timeout(60):
            code = await child.ended
        assert code == 0, (arguments, code, child.log.read_text())
        return child.log.read_text()

    def end(self) -> None:
        for child in self._children.values():
            child.kill()

    async def _fresh(self, arguments: tuple[str, ...], told: dict[str, str], log: Path) -> Child:
        with log.open("w") as output:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, str(ROOT / "main.py"), *arguments),
                cwd=self.folder,
                env=told,
                stdout=output,
                stderr=output,
            )
        return Child(process.pid, log, asyncio.ensure_future(process.wait()))

    async def _forked(self, arguments: tuple[str, ...], told: dict[str, str], log: Path) -> Child:
        assert self._mother is not None
        assert self._mother.stdin is not None
        order = {"arguments": arguments, "environment": told, "folder": str(self.folder), "log": str(log)}
        self._mother.stdin.write(json.dumps(order).encode() + b"\n")
        birth = asyncio.get_running_loop().create_future()
        self._births.append(birth)
        pid = await birth
        return Child(pid, log, self._ends(pid))

    def _ends(self, pid: int) -> "asyncio.Future[int]":
        return self._endings.setdefault(pid, asyncio.get_running_loop().create_future())

    async def listen(self) -> None:
        """To the mother."""
        self._endings: dict[int, asyncio.Future[int]] = {}
        assert self._mother is not None
        assert self._mother.stdout is not None
        while line := await self._mother.stdout.readline():
            told = json.loads(line)
            if "code" in told:
                self._ends(told["pid"]).set_result(told["code"])
            elif (birth := self._births.popleft()).cancelled():
                os.kill(told["pid"], signal.SIGKILL)  # nobody waits for it, and it would take another's port
            else:
                birth.set_result(told["pid"])

    async def load(self) -> None:
        """The mother, once for all."""
        self._mother = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.crash.forking"),
            cwd=ROOT,
            env=inherited() | {"PYTHONPATH": str(ROOT)},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )

    async def unload(self) -> None:
        if self._mother is not None:
            self._mother.kill()
            await self._mother.wait()


@asynccontextmanager
async def nursery(folder: Path, environment: dict[str, str], *, loaded: bool) -> AsyncIterator[Nursery]:
    """`loaded`: its processes are forked."""
    made = Nursery(folder, environment)
    listening = None
    if loaded:
        await made.load()
        listening = asyncio.create_task(made.listen())
        await asyncio.sleep(0)
    try:
        yield made
    finally:
        made.end()
        await asyncio.sleep(0.05)
        await made.unload()
        if listening is not None:
            await listening
