"""Programs: what the shop's own systems do by the REST API, each by the key of one of the staff."""

import asyncio
import json
from dataclasses import dataclass
from typing import Any

import aiohttp

from tests.e2e.installation import Installation
from tests.e2e.town import Town

OWNER = """
[[staff]]
name = "Njeri"
role = "Owner"
[[products]]
sku = "bread"
name = "Bread"
price = "65"
stock = 100
"""


@dataclass
class Program:
    """It speaks by the key of one of the staff."""

    http: aiohttp.ClientSession
    url: str
    key: str
    person: str

    async def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        told = {"X-TENANT-API-KEY": self.key} | headers
        sent = {"data" if isinstance(body, bytes) else "json": body}
        async with self.http.request(method, f"{self.url}/api/v1{path}", headers=told, **sent) as answer:
            return answer.status, json.loads(await answer.read())

    async def until(self, town: Town, path: str, status: str) -> Any:
        async def look() -> Any:
            _, body = await self("GET", path)
            return body if body["status"] == status else None

        return await town.until(look, f"{path} {status}")


async def programs_of(installation: Installation, http: aiohttp.ClientSession, url: str) -> list[Program]:
    """Of the owner, who is on no phone, of the cashier and of the approver."""
    file = installation.folder / "tenant.toml"
    file.write_text(file.read_text() + OWNER)
    applied = json.loads(await asyncio.to_thread(installation.run, "tenant", "apply", "tenant.toml"))
    made = []
    for name in ("Njeri", "Achieng", "Kamau"):
        staff = next(each["id"] for each in applied["staff"] if each["name"] == name)
        asked = ("apikey", "create", "--tenant", "mama-njeri", "--staff", staff)
        key = json.loads(await asyncio.to_thread(installation.run, *asked))["api_key"]
        made.append(Program(http, url, key, staff))
    return made
