"""Installation: the real command line as an operator runs it, beside emulators of the outside."""

import asyncio
import base64
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp

from tests.processes import Process, begin, inherited

_PATIENCE = 40.0
NOWHERE = "http://127.0.0.1:9"  # nobody listens: no command of a test leaves the machine


class Installation:
    """Commands share one environment; processes are stopped, or killed, by the test. `fresh`: see
    `tests.processes`."""

    fresh = False

    def __init__(self, folder: Path, **environment: str) -> None:
        self.folder = folder
        self.environment = inherited() | {
            "LIPACHAT_SECRET_KEYS": base64.b64encode(bytes(range(32))).decode(),
            "LIPACHAT_WHATSAPP__APP_SECRET": "app-secret",
            "LIPACHAT_WHATSAPP__VERIFY_TOKEN": "verify-token",
            **{f"LIPACHAT_{name}__URL": NOWHERE for name in ("MPESA", "PAYSTACK", "PESAPAL", "STRIPE")},
            **environment,
        }
        self.processes: list[Process] = []

    def run(self, *arguments: str, code: int = 0) -> str:
        with TemporaryDirectory() as said:
            out, err = Path(said, "out"), Path(said, "err")
            ended = begin(arguments, self.folder, self.environment, out, err, fresh=self.fresh).wait(60)
            told, complained = out.read_text(), err.read_text()
        assert ended == code, (ended, told, complained)
        return told if code == 0 else told + complained

    def start(self, *arguments: str, leads: bool = False) -> Process:
        log = self.folder / f"{arguments[0]}-{len(self.processes)}.log"
        process = begin(arguments, self.folder, self.environment, log, fresh=self.fresh, leads=leads)
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
