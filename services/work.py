"""Work: what a service is handed to act in one transaction for one tenant.

The edge opened the transaction and ends it; a service neither commits nor reaches the network.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from services.safety.vault import Vault

# Inserts that know ON CONFLICT, by dialect; both spell it the same.
INSERTS: dict[str, Callable[[sa.Table], Any]] = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}


@dataclass(frozen=True, slots=True)
class Via:
    """The way by which a deed has come. `channel`: chat, api, cli, provider or clock; `name`: the id of the
    conversation, the prefix of the key, the provider or the kind of the job."""

    channel: str
    name: str | None = None


UNSAID = Via("unsaid")  # no edge leaves it so
CLI = Via("cli")


@dataclass(frozen=True, slots=True)
class Work:
    """An open connection, the vault, the tenant, the time, and how its wish has reached us."""

    connection: AsyncConnection
    vault: Vault
    tenant: UUID
    now: datetime
    via: Via = UNSAID

    def insert(self, table: sa.Table) -> postgresql.Insert:
        """One for this connection."""
        return INSERTS[self.connection.dialect.name](table)  # type: ignore[no-any-return]

    def seal(self, value: Any, column: str, row: UUID) -> bytes:
        """JSON of the value, sealed for this row of "table.column"."""
        return self.vault.seal(canonical(value).encode(), self.tenant, column, str(row))

    def open(self, sealed: bytes, column: str, row: UUID) -> Any:
        """What `seal` sealed. Raises Unopenable."""
        return json.loads(self.vault.open(sealed, self.tenant, column, str(row)))

    def index(self, value: Any, column: str) -> bytes:
        """The blind index of the value's canonical JSON, for a new row."""
        return self.vault.index(canonical(value), self.tenant, column)

    def indexes(self, value: Any, column: str) -> list[bytes]:
        """The same under every key, for looking up while keys rotate."""
        return self.vault.indexes(canonical(value), self.tenant, column)


def canonical(value: Any) -> str:
    """JSON that is the same for the same value: sorted keys, no spaces."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
