"""Phones: the real sandbox as a process, and its page in a browser, played by clicks and typing alone."""

import asyncio
import random
import re
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.async_api import Locator, Page, async_playwright, expect

from tests.processes import Process, begin, inherited
from tests.servers import chromium

_PATIENCE = 40.0
expect.set_options(timeout=_PATIENCE * 1000)  # how fast a machine is says nothing about the page
_QUIET = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")


class Sandbox:
    """`main.py sandbox` as a stranger runs it: no variable of ours is set."""

    def __init__(self, folder: Path, port: int | None = None) -> None:
        self.folder = folder
        self.port = two_free_ports() if port is None else port
        self.environment = inherited()

    def begin(self, *more: str, **variables: str) -> Process:
        command = ("sandbox", "--port", str(self.port), "--data", "data", *more)
        told, complaints = self.folder / "sandbox.out", self.folder / "sandbox.log"
        told.write_text("")
        return begin(command, self.folder, self.environment | variables, told, complaints)

    def refused(self, *more: str, **variables: str) -> str:
        """What it says when it refuses to start."""
        code = self.begin(*more, **variables).wait(_PATIENCE)
        assert code == 1, (code, self.told(), self.complaints())
        assert self.told() == ""
        return self.complaints()

    @contextmanager
    def running(self, *more: str) -> Iterator[str]:
        """The address of the page, as it is printed."""
        process = self.begin(*more)
        try:
            yield self._address(process)
        finally:
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(30)
            process.send_signal(signal.SIGKILL)  # one that has ended does not feel it
            process.wait(30)
        assert process.returncode == 0, self.complaints()

    def told(self) -> str:
        return (self.folder / "sandbox.out").read_text()

    def complaints(self) -> str:
        return (self.folder / "sandbox.log").read_text()

    def _address(self, process: Process) -> str:
        end = time.monotonic() + _PATIENCE
        while "Ctrl+C" not in self.told() and process.poll() is None and time.monotonic() < end:
            time.sleep(0.02)
        found = re.search(r"Phones.*(http://\S+)", self.told())
        assert found, self.told() + self.complaints()
        return found[1]


def two_free_ports() -> int:
    """The first of two that follow each other, below those that outgoing connections take."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as first, socket.socket() as second, suppress(OSError):
            first.bind(("127.0.0.1", port))
            second.bind(("127.0.0.1", port + 1))
            return port


@dataclass
class Phones:
    """The page. `hosts` are those that it asked anything of."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)
    _heard: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.page.on("console", lambda line: self.complaints.append(f"{line.type}: {line.text}"))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))

    async def open(self, url: str) -> None:
        self._heard.clear()
        await self.page.goto(url)
        await expect(self.page.locator("#live")).to_contain_text("live")

    def of(self, name: str) -> Locator:
        return self.page.get_by_role("article", name=f"{name}'s phone")

    async def says(self, name: str, words: str) -> None:
        await self.of(name).get_by_label(f"Message from {name}").fill(words)
        await self.page.keyboard.press("Enter")

    async def taps(self, name: str, label: str) -> None:
        await self.of(name).get_by_role("button", name=label, exact=True).last.click()

    async def hears(self, name: str, *words: str) -> str:
        """The next answer that has all these words; what stood before it is passed over."""
        end = time.monotonic() + _PATIENCE
        texts: list[str] = []
        while time.monotonic() < end:
            texts = await self.of(name).locator(".bubble.theirs:not(.dots)").all_inner_texts()
            for n, text in enumerate(texts[self._heard.get(name, 0) :], start=self._heard.get(name, 0) + 1):
                if all(word in text for word in words):
                    self._heard[name] = n
                    return text
            await asyncio.sleep(0.05)
        raise AssertionError(f"{name} never hears {words}, but {texts[self._heard.get(name, 0) :]}")

    async def enters_pin(self, name: str, amount: str) -> None:
        prompt = self.prompt(name)
        await expect(prompt).to_contain_text(f"Ksh {amount}")
        await prompt.get_by_label("M-PESA PIN").fill("1234")
        await prompt.get_by_role("button", name="OK").click()
        await expect(prompt).to_have_count(0)

    def prompt(self, name: str) -> Locator:
        return self.of(name).get_by_role("dialog", name=f"M-PESA asks {name}")

    async def shows_books(self, *rows: str) -> None:
        """Account, posted and held of each, and nothing else."""
        await expect(self.page.locator("#accounts tr")).to_have_text(rows, use_inner_text=True)


@asynccontextmanager
async def browser_page(width: int = 1500, height: int = 900, scale: float = 1) -> AsyncIterator[Phones]:
    async with async_playwright() as driver:
        browser = await driver.chromium.launch(executable_path=chromium(), args=list(_QUIET))
        page = await browser.new_page(viewport={"width": width, "height": height}, device_scale_factor=scale)
        yield Phones(page)
        await browser.close()
