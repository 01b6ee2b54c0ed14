"""Caller: a program of a shop that calls the API over real HTTP, with the key of one of its staff.

Whatever it is answered must be as the OpenAPI document says.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from multidict import CIMultiDict

from services.people import apikeys
from services.store.schema import people, staff
from services.store.scope import OWNER
from services.work import Work
from tests.bot import described
from tests.bot.door import Door, now

ROOT = "/api/v1"


@dataclass
class Said:
    status: int
    raw: bytes
    headers: Mapping[str, str]  # whatever their case

    @property
    def body(self) -> Any:
        return json.loads(self.raw)

    @property
    def code(self) -> Any:
        return self.body["code"]


class Caller:
    def __init__(self, door: Door, key: str, person: UUID | None = None, prefix: str = "") -> None:
        self.door, self.key, self.person, self.prefix = door, key, person, prefix

    async def call(self, method: str, path: str, body: Any = None, **headers: str | list[str]) -> Said:
        """`body`: bytes as they are, else JSON. A header may have several values."""
        sent = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        told = CIMultiDict({"X-TENANT-API-KEY": self.key} if self.key else {})
        for name, values in headers.items():
            told.popall(name, None)
            for value in [values] if isinstance(values, str) else values:
                told.add(name, value)
        whole = path if path.startswith("/api") else ROOT + path
        async with self.door.http.request(method, self.door.url + whole, data=sent, headers=told) as answer:
            said = Said(answer.status, await answer.read(), answer.headers)
        described.check(method, whole, said.status, said.headers, said.raw)
        return said

    async def get(self, path: str, **headers: str | list[str]) -> Said:
        return await self.call("GET", path, **headers)

    async def put(self, path: str, body: Any = None) -> Said:
        return await self.call("PUT", path, {} if body is None else body)

    async def delete(self, path: str) -> Said:
        return await self.call("DELETE", path)

    async def post(self, path: str, body: Any = None, **headers: str | list[str]) -> Said:
        return await self.call("POST", path, {} if body is None else body, **headers)


async def caller(door: Door, tenant: UUID, name: str) -> Caller:
    """With a new key of whoever of the staff is called so."""
    async with door.database.transaction(OWNER) as connection:
        query = (
            sa.select(staff.c.person_id)
            .join(people, people.c.id == staff.c.person_id)
            .where(people.c.tenant_id == tenant, people.c.name == name)
        )
        person = (await connection.execute(query)).scalar_one()
        key = await apikeys.create(Work(connection, door.vault, tenant, now()), person)
    assert key is not None
    return Caller(door, key.text, person, key.prefix)
