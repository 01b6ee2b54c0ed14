"""Town: people with phones, played over the emulators' control API against the running app."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import aiohttp

_PATIENCE = 40.0


class Town:
    def __init__(self, http: aiohttp.ClientSession, url: str) -> None:
        self.http, self.url = http, url

    def person(self, key: str) -> "Person":
        return Person(self, key)

    async def get(self, path: str) -> Any:
        async with self.http.get(f"{self.url}/control{path}") as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def post(self, path: str, body: dict[str, Any]) -> Any:
        async with self.http.post(f"{self.url}/control{path}", json=body) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def until(self, look: Callable[[], Any], what: str) -> Any:
        """Whatever `look` finds, as soon as it finds it."""
        end = time.monotonic() + _PATIENCE
        while time.monotonic() < end:
            if found := await look():
                return found
            await asyncio.sleep(0.05)
        raise AssertionError(f"never came: {what}")

    async def answer_prompt(self, outcome: str) -> Any:
        async def asking():
            prompts = (await self.get("/prompts"))["prompts"]
            return next((p for p in prompts if p["state"] == "asking"), None)

        prompt = await self.until(asking, "an M-Pesa prompt")
        await self.post(f"/prompts/{prompt['id']}", {"outcome": outcome})
        return prompt

    async def ledger(self) -> Any:
        return (await self.get("/state"))["ledger"]

    async def balances(self) -> dict[str, tuple[str, str]]:
        return {a["name"]: (a["posted"], a["held"]) for a in (await self.ledger())["accounts"]}


class Person:
    """`heard` counts what was read already, so that each expectation looks only further on."""

    def __init__(self, town: Town, key: str) -> None:
        self._town, self.key, self.heard = town, key, 0

    async def says(self, text: str) -> None:
        await self._town.post(f"/phones/{self.key}/text", {"text": text})

    async def taps(self, label: str) -> None:
        await self._town.post(f"/phones/{self.key}/tap", {"choice": label})

    async def shares(self) -> None:
        await self._town.post(f"/phones/{self.key}/share", {})

    async def answers(self) -> list[Any]:
        chat = await self._town.get(f"/phones/{self.key}/messages")
        return [m for m in chat["messages"] if not m["mine"]]

    async def hears(self, *words: str) -> Any:
        """The next answer that has all these words."""

        async def look():
            for n, message in enumerate((await self.answers())[self.heard :], start=self.heard + 1):
                if all(word in str(message) for word in words):
                    self.heard = n
                    return str(message)
            return None

        try:
            return await self._town.until(look, f"{self.key} hears {words}")
        except AssertionError as error:
            said = [m.get("text") for m in (await self.answers())[self.heard :]]
            raise AssertionError(f"{error}; heard instead: {said}") from None
