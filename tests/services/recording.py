"""Recording: what each act leaves in the database, written down row by row, to be read and to be compared.

    ## Otieno approves
    ~ operations operation-1: state: pending -> approved, decided_by: - -> Otieno
    + payouts payout-1: withdrawal_id=withdrawal-1, state=created, amount=96700
    + audit Otieno by chat withdrawal.approved withdrawal-1: amount=1000.00
    + news to Wanjiku: withdrawal_approved by=Otieno
    ! NotPending status=approved          what the act was refused with

Ids, digests and marks have names in the order in which they come, moments are told from the first, and what
is sealed is opened where the vault of the test can: so the same acts leave the same record.
`LIPACHAT_WRITE_TRANSCRIPTS=1 pytest tests/services/test_recorded.py` writes what is left now; read the
difference.
"""

import json
import os
import re
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from pydantic import BaseModel

from services.audit.private import opened
from services.errors import Refusal
from services.store.schema import audit, audit_heads, audit_private, conversations, inbox, metadata
from tests.services.business import Business

RECORDS = Path(__file__).parents[1] / "records"
_APART = {audit.name, audit_heads.name, audit_private.name, inbox.name}  # the first and the last as sentences
_SHORT_REFERENCE, _MARK_BYTES = 6, 6
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|\b[0-9a-f]{32}\b")
_HEX = re.compile(r"\b(?:[0-9a-f]{64}|[0-9a-f]{40})\b")
_SINCE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|\+00:00)")

Key = tuple[str, ...]
Rows = dict[str, dict[Key, dict[str, Any]]]


class Recorder:
    """Of one business, from now on."""

    def __init__(self, business: Business) -> None:
        self.business, self.began, self.lines = business, business.now, list[str]()
        self.names: dict[UUID, str] = {business.tenant: business.slug.partition("-")[0]}
        self.counted: dict[str, int] = {}
        self.marks: dict[str, str] = {}
        self.rows: Rows = {}
        self.told: dict[str, dict[str, str]] = {}
        self.heard = self.audited = 0

    async def begin(self) -> "Recorder":
        """What is there already is not told."""
        for who in ("customer", "cashier", "manager", "owner"):
            self.names[getattr(self.business, who)] = who
        for person, chat in self.business.chats.items():
            self.names[chat] = f"{self.names.get(person, 'somebody')}'s chat"
        await self._changes()
        return self

    def knows(self, id_: UUID, name: str) -> None:
        self.names[id_] = name

    @asynccontextmanager
    async def act(self, title: str) -> AsyncIterator[None]:
        """A refusal is written down, and goes no further."""
        said = []
        try:
            yield
        except Refusal as error:
            said = [f"! {type(error).__name__} {self._told(vars(error))}".rstrip()]
        changes = await self._changes()
        self.lines += [f"## {title}", *changes, *said, *([] if changes or said else ["nothing"]), ""]

    # --- what has changed

    async def _changes(self) -> list[str]:
        async with self.business.behind() as work:
            now = await self._read(work.connection)
            entries = (
                await work.connection.execute(
                    sa.select(audit).where(audit.c.seq > self.audited).order_by(audit.c.seq)
                )
            ).all()
            private = {row.seq: await opened(work, row.private) for row in entries if row.private}
            news = (await work.connection.execute(self._news())).all()
        self._name_all(now)
        lines: list[str] = []
        for table, rows in now.items():
            before = self.rows.get(table, {})
            lines += self._new(table, {key: row for key, row in rows.items() if key not in before})
            lines += sorted(
                f"~ {table} {self._key(key)}: {change}"
                for key, row in rows.items()
                if key in before and (change := self._change(before[key], row))
            )
            lines += sorted(f"- {table} {self._key(key)}" for key in before if key not in rows)
        self.rows = now
        lines += [self._entry(row, private.get(row.seq)) for row in entries]
        lines += self._heard(news)
        self.audited = max((row.seq for row in entries), default=self.audited)
        self.heard = max((row.seq for row in news), default=self.heard)
        return lines

    async def _read(self, connection: Any) -> Rows:
        found: Rows = {}
        for table in metadata.sorted_tables:
            mine = table.c.id if table.name == "tenants" else table.c.get("tenant_id")
            if mine is None or table.name in _APART:
                continue
            rows = (
                (await connection.execute(sa.select(table).where(mine == self.business.tenant)))
                .mappings()
                .all()
            )
            keys = [column.name for column in table.primary_key if column.name != "tenant_id"]
            found[table.name] = {
                tuple(self._plain(row[key]) for key in keys): {
                    k: v for k, v in row.items() if k != "tenant_id"
                }
                for row in sorted(rows, key=lambda row: [self._plain(row[key]) for key in keys])
            }
        return found

    def _new(self, table: str, rows: Mapping[Key, dict[str, Any]]) -> Iterable[str]:
        for key, row in sorted(rows.items(), key=lambda one: self._anonymous(one[1])):
            told = {name: value for name, value in row.items() if self._plain(value) not in key}
            yield f"+ {table} {self._key(key)}: {self._told(told)}"

    def _name_all(self, now: Rows) -> None:
        """What shares its id with an operation and a hold gives it its name."""
        for table, rows in sorted(now.items(), key=lambda one: one[0] in ("operations", "holds")):
            for row in sorted(rows.values(), key=self._anonymous):
                if isinstance(row.get("id"), UUID) and row["id"] not in self.names:
                    self._named(row["id"], table, row.get("name") if table == "accounts" else None)

    @staticmethod
    def _plain(value: Any) -> str:
        return value.hex() if isinstance(value, bytes) else str(value)

    def _anonymous(self, row: Mapping[str, Any]) -> str:
        """By what it is sorted: not by ids and digests, which are random."""
        plain = {name: str(value) for name, value in row.items() if not isinstance(value, bytes)}
        text = _UUID.sub(lambda found: self.names.get(UUID(found[0]), ""), json.dumps(plain))
        return _HEX.sub("", text)

    def _named(self, id_: UUID, table: str, name: str | None = None) -> str:
        if name is not None:
            self.names[id_] = name
        if id_ not in self.names:
            one = "batch" if table == "batches" else table.removesuffix("s")
            self.counted[one] = self.counted.get(one, 0) + 1
            self.names[id_] = f"{one}-{self.counted[one]}"
        return self.names[id_]

    def _change(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
        return ", ".join(
            f"{name}: {self._short(before[name], name) or '-'} -> {self._short(value, name) or '-'}"
            for name, value in after.items()
            if before[name] != value
        )

    def _entry(self, row: Any, private: Mapping[str, Any] | None) -> str:
        parts = [f"+ audit {self._text(row.actor)} by {row.channel} {row.action} {self._text(row.target)}"]
        for name in ("facts", "before", "after"):
            value = getattr(row, name)
            if value:
                facts = json.loads(value) if isinstance(value, str) else value
                told = ", ".join(f"{key}={self._short(one, key) or '-'}" for key, one in facts.items())
                parts.append(told if name == "facts" else f"{name}: {told}")
        if private is not None:
            parts.append(f"apart: {self._told(private)}")
        return "; ".join(parts) + (" (!)" if row.alert else "")

    def _news(self) -> Any:
        return (
            sa.select(inbox, conversations.c.person_id)
            .join(conversations, conversations.c.id == inbox.c.conversation_id)
            .where(inbox.c.tenant_id == self.business.tenant, inbox.c.seq > self.heard)
            .order_by(inbox.c.seq)
        )

    def _heard(self, rows: Iterable[Any]) -> list[str]:
        """The same to several people is one line."""
        told: dict[str, list[str]] = {}
        for row in rows:
            bound = f"{row.kind}|{row.external_id}|{row.status}"
            body = self.business.vault.open(row.body_sealed, self.business.tenant, "inbox.body", bound)
            told.setdefault(body.decode(), []).append(self.names[row.person_id])
        lines = []
        for said, people in told.items():
            news = json.loads(said)
            lines.append(f"+ news to {', '.join(sorted(people))}: {news.pop('kind')} {self._told(news)}")
        return [line.rstrip() for line in lines]

    # --- how it is written

    def _key(self, key: Key) -> str:
        return " ".join(self._text(part) for part in key)

    def _told(self, facts: Mapping[str, Any]) -> str:
        return ", ".join(
            f"{name}={said}" for name, value in facts.items() if (said := self._short(value, name))
        )

    def show(self, *values: Any) -> None:
        """What is told of it, in lines of its own."""
        self.lines += [self._short(value) for value in values]

    def _short(self, value: Any, name: str = "") -> str:
        match value:
            case _ if not value:
                return ""
            case True:
                return "yes"
            case datetime():
                return self._since(value)
            case timedelta():
                return str(value)
            case bytes():
                if name == "hash":  # of a transfer's id, which orders those of an instant by chance
                    return "(hash)"
                return "(sealed)" if name.endswith("sealed") else self._mark(value.hex(), "mark")
            case BaseModel():
                return self._short(value.model_dump())
            case Mapping():
                return self._nested({str(k): v for k, v in value.items()})
            case list() | tuple() | set() | frozenset():
                return "[" + ", ".join(self._short(one) or "-" for one in value) + "]"
        return self._text(str(value))

    def _nested(self, facts: Mapping[str, Any]) -> str:
        """Of what has an id only what is not as it was told the last time."""
        if facts.keys() == {"minor", "currency"}:
            return f"{facts['currency']} {facts['minor'] / 100:.2f}"
        if "id" not in facts:
            return f"{{{self._told(facts)}}}"
        name = self._text(str(facts["id"]))
        told = {key: self._short(value, key) for key, value in facts.items() if key != "id"}
        before = self.told.get(name, {})
        self.told[name] = told
        new = ", ".join(
            f"{key}={value or '-'}" for key, value in told.items() if value != before.get(key, "")
        )
        return f"{name} {{{new}}}"

    def _text(self, text: str) -> str:
        text = _UUID.sub(lambda found: self._named_id(UUID(found[0])), text)
        text = _SINCE.sub(lambda found: self._since(datetime.fromisoformat(found[0])), text)
        text = _HEX.sub(lambda found: self._mark(found[0], "digest"), text)
        for id_, name in self.names.items():
            text = text.replace(id_.hex[-_SHORT_REFERENCE:].upper(), f"REF({name})")
        return text

    def _named_id(self, id_: UUID) -> str:
        return self._named(id_, "id")

    def _mark(self, digest: str, kind: str) -> str:
        if digest not in self.marks:
            self.counted[kind] = self.counted.get(kind, 0) + 1
            self.marks[digest] = f"{kind}-{self.counted[kind]}"
        return self.marks[digest]

    def _since(self, moment: datetime) -> str:
        return f"+{moment - self.began}" if moment >= self.began else f"-{self.began - moment}"


def compare(name: str, recorded: Recorder) -> None:
    """With what was recorded before."""
    path, now = RECORDS / f"{name}.txt", "\n".join(recorded.lines)
    if os.environ.get("LIPACHAT_WRITE_TRANSCRIPTS"):
        path.write_text(now)
    assert now == path.read_text()
