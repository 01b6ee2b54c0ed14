"""The image's own steps, without Docker: the Dockerfile's build in a folder, then the program as the image
runs it: by a user who is nobody else, where one folder alone can be written to, and no memory is both written
and run.

Run: python -m tests.image
"""

import base64
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from tests.deploy.dockerfile import ROOT, let_in, stages

_USER = "10001"
_PAGES = ("/livez", "/readyz", "/openapi.json", "/docs", "/docs/swagger-ui-bundle.js", "/metrics")
_PHONES = ("/", "/static/phones.js", "/static/products/bread.jpg")
_PATIENCE_SECONDS = 60
_MDWE = "import ctypes, os, sys; ctypes.CDLL(None).prctl(65, 1, 0, 0, 0); os.execv(sys.argv[1], sys.argv[1:])"


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        built(folder)
        nothing_is_missing(folder)
        program = Program(folder)
        program.run("db", "upgrade")
        with program.running("serve", _PAGES) as port:
            program.healthy(port)
        with program.running("sandbox", _PAGES, _PHONES):
            pass
    say("The image's steps were taken, and what they made runs.")


def say(words: str) -> None:
    sys.stderr.write(f"{words}\n")


def built(folder: Path) -> None:
    """By the steps of the Dockerfile's first stage, as they stand."""
    source, context = folder / "src", folder / "context"
    for each in let_in():
        there = ROOT / each
        ignored = shutil.ignore_patterns("__pycache__")
        context.mkdir(exist_ok=True)
        shutil.copytree(there, context / each, ignore=ignored) if there.is_dir() else shutil.copy(
            there, context
        )
    source.mkdir()
    for instruction, rest in stages()[0].steps:
        if instruction == "COPY":
            *copied, to = rest.split()
            for each in copied:
                into = source / to
                if (context / each).is_dir():
                    shutil.copytree(context / each, into)
                else:
                    shutil.copy(context / each, into)
        elif instruction == "RUN":
            step(rest.replace("/venv", str(folder / "venv")), source)


def step(command: str, source: Path) -> None:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    quiet = {"PIP_QUIET": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore"}
    subprocess.run(
        ["/bin/sh", "-c", command], cwd=source, env=os.environ | quiet | {"PATH": path}, check=True
    )


def nothing_is_missing(folder: Path) -> None:
    """Whatever the program has beside its code is in the wheel."""
    (there,) = (folder / "venv").glob("lib/python*/site-packages")
    for package in ("bot", "flows", "services"):
        for path in sorted((folder / "src" / package).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                installed = there / path.relative_to(folder / "src")
                assert installed.is_file(), f"{installed} is not in the wheel"


class Program:
    """`lipachat`, out of the virtual environment that was built."""

    def __init__(self, folder: Path) -> None:
        self._command = str(folder / "venv" / "bin" / "lipachat")
        self._python = str(folder / "venv" / "bin" / "python")
        self._data = folder / "data"
        self._data.mkdir()
        namespaces = ["unshare", "--mount", "true"]
        self._apart = os.geteuid() == 0 and subprocess.run(namespaces, check=False).returncode == 0
        if self._apart:
            os.chown(self._data, int(_USER), int(_USER))
        else:
            say("NOT TRIED: another user and a read-only file system, which take root and namespaces")
        self._environment = {
            "LIPACHAT_SECRET_KEYS": base64.b64encode(bytes(range(32))).decode(),
            "LIPACHAT_WHATSAPP__APP_SECRET": "app-secret",
            "LIPACHAT_WHATSAPP__VERIFY_TOKEN": "verify-token",
            "LIPACHAT_DATABASE_URL": f"sqlite+aiosqlite:///{self._data}/lipachat.db",
            "LIPACHAT_AUDIT__ANCHOR": f"{self._data}/anchors",
            "PATH": "/usr/bin:/bin",
            "PYTHONDONTWRITEBYTECODE": "1",
            "TMPDIR": str(self._data),
        }

    def run(self, *arguments: str) -> None:
        subprocess.run(
            self._as_in_the_image(self._command, *arguments),
            cwd=self._data,
            env=self._environment,
            check=True,
        )

    @contextmanager
    def running(self, command: str, *pages: tuple[str, ...]) -> Iterator[int]:
        """On a port, and what else it serves on the ports after it; ended by SIGTERM, with 0."""
        port = free_ports(len(pages))
        data = ["--data", str(self._data / "sandbox")] if command == "sandbox" else []
        arguments = (self._command, command, "--port", str(port), *data)
        process = subprocess.Popen(self._as_in_the_image(*arguments), cwd=self._data, env=self._environment)
        try:
            for n, each in enumerate(pages):
                for page in each:
                    fetched(f"http://127.0.0.1:{port + n}{page}", process)
            yield port
        finally:
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0, f"{command} ended with {process.returncode}"

    def healthy(self, port: int) -> None:
        """The health check of the image, good while it runs and bad when nobody listens."""
        _, _, words = stages()[-1].all("HEALTHCHECK")[0].partition("CMD ")
        _, *arguments = json.loads(words)
        for at, code in ((port, 0), (free_ports(1), 1)):
            asked = [each.replace("8080", str(at)) for each in arguments]
            done = subprocess.run([self._python, *asked], check=False, stderr=subprocess.DEVNULL)
            assert done.returncode == code, (at, done.returncode)

    def _as_in_the_image(self, *command: str) -> list[str]:
        hardened = [self._python, "-c", _MDWE, *self._as_nobody(), self._python, *command]
        if not self._apart:
            return hardened
        mounts = [*_python_for_all(self._data.parent), f"mount --bind {self._data} {self._data}"]
        steps = " && ".join([*mounts, "mount -o remount,bind,ro /", 'exec "$@"'])
        return ["unshare", "--mount", "sh", "-c", steps, "sh", *hardened]

    def _as_nobody(self) -> list[str]:
        nobody = ["--reuid", _USER, "--regid", _USER, "--clear-groups", "--no-new-privs", "--inh-caps=-all"]
        return [str(shutil.which("setpriv")), *nobody] if self._apart else []


def _python_for_all(folder: Path) -> list[str]:
    """Python itself may lie in somebody's home, which nobody else may enter; an image's does not."""
    base = Path(sys.base_prefix)
    closed = [each for each in base.parents if not each.stat().st_mode & stat.S_IXOTH]
    if not closed:
        return []
    aside = folder / "python"
    aside.mkdir(exist_ok=True)
    opened = f"mount -t tmpfs -o mode=0755 tmpfs {closed[-1]} && mkdir -p {base}"
    return [f"mount --bind {base} {aside}", opened, f"mount --bind {aside} {base}"]


def fetched(url: str, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            with urlopen(url, timeout=5) as answer:
                assert answer.read(), url
                return
        except URLError as error:
            refused = isinstance(error.reason, ConnectionError)
            if not refused or process.poll() is not None or time.monotonic() > end:
                raise AssertionError(f"{url}: {error}") from error
        time.sleep(0.1)


def free_ports(how_many: int) -> int:
    """The first of some that follow on each other."""
    while True:
        sockets = []
        try:
            for n in range(how_many):
                one = socket.socket()
                sockets.append(one)
                one.bind(("127.0.0.1", sockets[0].getsockname()[1] + n if n else 0))
        except OSError:
            continue
        else:
            return int(sockets[0].getsockname()[1])
        finally:
            for one in sockets:
                one.close()


if __name__ == "__main__":
    main()
