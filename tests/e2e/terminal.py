"""Terminal: a command at a real pseudo terminal, which echoes what is typed unless it is told not to."""

import errno
import os
import pty
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.processes import ROOT

_PATIENCE = 40.0
# The child makes the terminal its own, so that Ctrl+C reaches it and nobody else; and heeds it, though the
# tests may run where nobody does, such as behind a script's `&`.
_OWN = (
    "import fcntl, os, signal, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "signal.signal(signal.SIGINT, signal.SIG_DFL); "
    "os.execv(sys.executable, sys.argv[1:])"
)


class Terminal:
    def __init__(self, folder: Path, environment: dict[str, str], *arguments: str) -> None:
        self._ours, theirs = pty.openpty()
        command = [sys.executable, str(ROOT / "main.py"), *arguments]
        self.process = subprocess.Popen(
            [sys.executable, "-c", _OWN, *command],
            cwd=folder,
            env=environment | {"TERM": "dumb", "COLUMNS": "400"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self.screen, self._read_to = "", 0

    def expect(self, words: str) -> None:
        """What comes up next, somewhere behind what was expected before."""
        ends = time.monotonic() + _PATIENCE
        while (at := self.screen.find(words, self._read_to)) < 0:
            if not self._more(ends):
                raise AssertionError(f"{words!r} never came. The screen:\n{self.screen}")
        self._read_to = at + len(words)

    def line(self) -> str:
        """The rest of the line that was expected."""
        begins = self._read_to
        self.expect("\n")
        return self.screen[begins : self._read_to].strip()

    def type(self, line: str) -> None:
        self._asked()
        os.write(self._ours, f"{line}\n".encode())

    def talk(self, *turns: tuple[str, str]) -> None:
        for words, line in turns:
            self.expect(words)
            self.type(line)

    def _asked(self) -> None:
        """The space behind a question comes when what is typed is no longer shown."""
        ends = time.monotonic() + _PATIENCE
        while not self.screen.endswith(": ") and self._more(ends):
            pass

    def interrupt(self) -> None:
        """Ctrl+C, and again, as people do, where it came right before the answer was waited for."""
        self._asked()
        before = len(self.screen)
        for _ in range(int(_PATIENCE)):
            os.write(self._ours, b"\x03")
            ends = time.monotonic() + 1.0
            while "\n" not in self.screen[before:] and self._more(ends):
                pass
            if "\n" in self.screen[before:]:
                return

    def end(self) -> int:
        """The exit code, once all was read."""
        ends = time.monotonic() + _PATIENCE
        while self._more(ends):
            pass
        code = self.process.wait(timeout=10)
        os.close(self._ours)
        return code

    def kill(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(timeout=10)

    def _more(self, ends: float) -> bool:
        """False where nothing comes any more."""
        ready, _, _ = select.select([self._ours], [], [], max(0.0, ends - time.monotonic()))
        if not ready:
            return False
        try:
            told = os.read(self._ours, 65536)
        except OSError as error:  # what Linux says where the other side is closed
            if error.errno != errno.EIO:
                raise
            return False
        self.screen += told.decode(errors="replace").replace("\r\n", "\n")
        return bool(told)
