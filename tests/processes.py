"""Processes of the program, as tests start them: fresh, as an operator does, or forked of one that has the
program loaded, since loading takes longer than most of what a test asks of it.

A forked one plays the same command line, in an environment and a folder of its own; only how it was loaded
differs. So whatever is about starting is tried with fresh ones.
"""

import multiprocessing
import multiprocessing.connection
import os
import pkgutil
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

ROOT = Path(__file__).parents[1]
_COMMANDS = [
    f"bot.commands.{module.name}" for module in pkgutil.iter_modules([str(ROOT / "bot" / "commands")])
]
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(
    [
        "tests.processes",
        "main",
        *_COMMANDS,
        "bot.run",
        "bot.sandbox.run",
        "bot.doctor",
        "services.store.upgrade",
    ]
)


def inherited() -> dict[str, str]:
    """Nothing of ours is set; and what was compiled once is kept, as it is where somebody lives."""
    ours = ("LIPACHAT_", "PYTHONDONTWRITEBYTECODE")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


class Process(Protocol):
    """What both kinds have of `subprocess.Popen`."""

    @property
    def pid(self) -> int: ...
    @property
    def returncode(self) -> int | None: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, sig: int, /) -> None: ...


def begin(
    arguments: tuple[str, ...],
    folder: Path,
    environment: Mapping[str, str],
    output: Path,
    errors: Path | None = None,
    *,
    fresh: bool = False,
    leads: bool = False,
) -> Process:
    """`main.py` with these arguments; what it says is added to the files, all to one where one is named.
    `leads`: in a session of its own, as from a terminal."""
    said = (output, errors or output)
    if not fresh:
        return _Forked(arguments, folder, dict(environment), said, leads)
    with said[0].open("a") as out, said[1].open("a") as err:
        command = [sys.executable, str(ROOT / "main.py"), *arguments]
        return subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=leads,
        )


class _Forked:
    def __init__(self, *order: object) -> None:
        self._looking = threading.Lock()  # the exit code can be read once only
        self._process = _FORKS.Process(target=_become, args=order)
        self._process.start()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        with self._looking:
            return self._process.exitcode

    def poll(self) -> int | None:
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        multiprocessing.connection.wait([self._process.sentinel], timeout)
        code = self.returncode
        if code is None:
            raise subprocess.TimeoutExpired(str(self._process), timeout or 0)
        return code

    def send_signal(self, sig: int, /) -> None:
        if self.returncode is None:
            os.kill(self.pid, sig)


def _become(
    arguments: tuple[str, ...],
    folder: Path,
    environment: dict[str, str],
    said: tuple[Path, Path],
    leads: bool,
) -> None:
    """In the forked process."""
    from main import app

    for standard, path in zip((1, 2), said, strict=True):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), standard)
    if leads:
        os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["main.py", *arguments]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    app(list(arguments), prog_name="main.py")
