"""Installation: the real command line as an operator runs it, beside emulators of the outside."""

import asyncio
import base64
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

ROOT = Path(__file__).parents[2]
_PATIENCE = 20.0
NOWHERE = "http://127.0.0.1:9"  # nobody listens: no command of a test leaves the machine


def inherited() -> dict[str, str]:
    """Nothing of ours is set; and what was compiled once is kept, as it is where somebody lives."""
    ours = ("LIPACHAT_", "PYTHONDONTWRITEBYTECODE")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


class Installation:
    """Commands share one environment; processes are stopped, or killed, by the test."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.environment = inherited() | {
            "LIPACHAT_SECRET_KEYS": base64.b64encode(bytes(range(32))).decode(),
            "LIPACHAT_WHATSAPP__APP_SECRET": "app-secret",
            "LIPACHAT_WHATSAPP__VERIFY_TOKEN": "verify-token",
            **{f"LIPACHAT_{name}__URL": NOWHERE for name in ("MPESA", "PAYSTACK", "PESAPAL", "STRIPE")},
            **environment,
        }
        self.processes: list[subprocess.Popen[str]] = []

    def run(self, *arguments: str, code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, ROOT / "main.py", *arguments],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        return done.stdout if code == 0 else done.stdout + done.stderr

    def start(self, *arguments: str, start_new_session: bool = False) -> "subprocess.Popen[str]":
        path = self.folder / f"{arguments[0]}-{len(self.processes)}.log"
        with path.open("w") as log:
            process = subprocess.Popen(
                [sys.executable, ROOT / "main.py", *arguments],
                cwd=self.folder,
                env=self.environment,
                stdout=log,
                stderr=log,
                text=True,
                start_new_session=start_new_session,
            )
        self.processes.append(process)
        return process

    def stop(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.processes:
            process.wait(timeout=30)

    def logs(self) -> str:
        return "\n".join(path.read_text() for path in sorted(self.folder.glob("*.log")))


async def ready(http: aiohttp.ClientSession, url: str) -> float:
    """Seconds until the first 200."""
    start, last = time.monotonic(), ""
    while time.monotonic() < start + _PATIENCE:
        try:
            async with http.get(f"{url}/readyz") as answer:
                if answer.status == 200:
                    return time.monotonic() - start
                last = await answer.text()
        except aiohttp.ClientError as error:
            last = repr(error)
        await asyncio.sleep(0.02)
    raise AssertionError(f"{url} was never ready: {last}")


@asynccontextmanager
async def stopping(installation: Installation) -> AsyncIterator[Installation]:
    try:
        yield installation
    finally:
        await asyncio.to_thread(installation.stop)
