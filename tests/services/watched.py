"""Watched: every commit that changes money, methods, access or configuration says so in the audit.

`watching` looks at what services write while a test runs (on SQLite, whose statements are the same): each
commit in which a watched table was changed has to append an entry that names it. What the test itself writes
does not count, nor what a savepoint took back, nor a statement that found no row.
"""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import sqlalchemy as sa
from greenlet import getcurrent  # type: ignore[import-untyped]

from services.store.database import Database

ROOT = Path(__file__).parents[2]

_TRANSITION, _LEDGER = "services/transitions.py", "services/ledger"  # what others write by

# Watched tables, and how the actions begin that tell of them.
_MONEY = (
    "payment.",
    "withdrawal.",
    "refund.",
    "payout.",
    "costs.",
    "books.",
    "settlement.",
    "batch.",
    "schedule.",
)
_STAFF = ("change_staff.", "identity.", "tenant.", "staff.")
_TOGETHER = ("batch.", "schedule.")
_DECIDED = (
    *_TOGETHER,
    "withdrawal.",
    "refund.",
    "change_",
    "lending.",
    "tenant.",
    "identity.",
    "totp.",
    "payment.",
    "settlement.",
)
WATCHED: dict[str, tuple[str, ...]] = {
    # money
    "accounts": _MONEY,
    "transfers": _MONEY,
    "holds": _MONEY,
    "payments": ("payment.", "refund.", "person."),
    "attempts": ("payment.", "person.", "retention."),
    "withdrawals": ("withdrawal.", "payout.", *_TOGETHER),
    "payouts": ("withdrawal.", "payout.", "payouts.", *_TOGETHER),
    "settlements": ("settlement.",),
    "schedules": ("schedule.",),
    "refunds": ("refund.", "payment.", "person."),
    "refund_attempts": ("refund.", "payment."),
    "refund_wishes": ("refund.", "person."),
    "reversals": ("payment.", "refund."),
    "breaches": ("books.",),
    # methods
    "saved_methods": ("method.", "identity.", "person.", "retention."),
    "people": ("method.", "unasked.", "tenant.", "person.", "identity.", "change_staff."),
    # access
    "staff": _STAFF,
    "totps": _DECIDED,
    "api_keys": ("apikey.",),
    "conversations": (*_STAFF, "person.", "retention."),
    "handoffs": ("handoff.", "identity.", "person.", "retention."),
    "operations": _DECIDED,
    "approvals": _DECIDED,
    "lendings": ("lending.",),
    # configuration
    "tenants": ("tenant.", "change_", "payouts.", "person."),
    "credentials": ("tenant.", "keys."),
    "fees": ("tenant.", "change_fees."),
    "products": ("tenant.", "order.", "payment.", "product."),
    "changes": ("change_", "tenant."),
    "costs": ("costs.",),
    "message_rates": ("costs.",),
    "webhook_endpoints": ("webhook.",),
}
# What is written there without an entry, and why.
_SWEPT = "found in many commits, and recorded in the one that ends the erasure"
_NOTHING_YET = "somebody begins to pay: nothing has moved, and who asks another to pay is recorded"
_ON_ITS_WAY = "where it stands with the provider: what comes of it is recorded with the money that moves"
_NOBODY_YET = "somebody writes for the first time, and may do nothing"
UNSAID: dict[tuple[str, str], str] = {
    **{
        (table, f"services/privacy/sweep.py:{function}"): _SWEPT
        for table, function in (
            ("conversations", "_opened"),
            ("attempts", "_plain"),
            ("refunds", "_plain"),
            ("refund_wishes", "_plain"),
            ("refund_attempts", "_plain"),
            ("withdrawals", "_plain"),
            ("payouts", "_plain"),
            ("settlements", "_plain"),
            ("changes", "_plain"),
        )
    },
    ("webhook_endpoints", "services/webhooks/deliveries.py:_failing"): "since when nothing is taken there",
    ("payments", "services/payments/start.py:_payment"): _NOTHING_YET,
    ("payments", "services/payments/start.py:_await"): _NOTHING_YET,
    ("attempts", "services/payments/start.py:_attempt"): _NOTHING_YET,
    ("attempts", "services/payments/record.py:move"): _ON_ITS_WAY,
    ("payments", "services/payments/record.py:move_payment"): _ON_ITS_WAY,
    ("payouts", "services/dispatch.py:move"): _ON_ITS_WAY,
    ("refund_attempts", "services/dispatch.py:move"): _ON_ITS_WAY,
    ("people", "services/people/customers.py:opened"): _NOBODY_YET,
    ("conversations", "services/people/customers.py:opened"): _NOBODY_YET,
    ("people", "bot/senders.py:_make"): _NOBODY_YET,
    ("conversations", "bot/senders.py:_make"): _NOBODY_YET,
    (
        "conversations",
        "bot/senders.py:_link",
    ): "WhatsApp tells number and id of one chat; another one is recorded",
    ("conversations", "bot/senders.py:_know_key"): "the key that is told first; another one is recorded",
    ("api_keys", "services/people/apikeys.py:used"): "when it was used last, to the hour",
    ("people", "services/people/people.py:use_language"): "in which language somebody reads gives no access",
    ("totps", "services/safety/stepup.py:_change"): "codes tried and used are recorded at what they approve",
    ("products", "services/shop/stock.py:_change"): "counted with each order and sale",
    ("staff", "services/people/telling.py:switch"): "of what somebody wants to be told gives no access",
    (
        "handoffs",
        "services/handoff.py:answer",
    ): "when it was spoken last; who took it and ended it is recorded",
    (
        "changes",
        "services/settings/undone.py:warnings",
    ): "a file was applied, which is recorded (tenant.changed)",
}


_TRAFFIC = "messages and what is due: nothing of it moves money or gives access"
# Tables that are not watched, and why.
UNWATCHED = {
    "orders": "what somebody wants; what they pay for it is watched, and what the staff do to it recorded",
    "carts": "what somebody may want",
    "audit": "the record itself",
    "audit_heads": "the record itself",
    "audit_private": "the record itself",
    "rails": "what stops a way out and lets it go on is recorded; that it was refused before is noted beside",
    "batches": "what a file says: its operation and its withdrawals are watched",
    "schedule_runs": "a record itself, beside the withdrawal",
    "withdrawal_history": "a record itself, beside its withdrawal",
    "account_proofs": "what was found right; breaches are watched",
    "book_checks": "what was found right; breaches are watched",
    "api_answers": "the answer to a request whose effect is watched",
    "handoff_lines": "what was said",
    "statement_lines": "what providers say, copied from their statements",
    "statement_coverages": "what providers say, copied from their statements",
    "breaks": "where a provider says another thing: told each time, and who closes one is recorded",
    "inbox": _TRAFFIC,
    "outbox": _TRAFFIC,
    "jobs": _TRAFFIC,
    "webhook_deliveries": _TRAFFIC,
    "webhook_attempts": _TRAFFIC,
    "hooks": "addresses for answers, made where one is asked for",
    "mails": "who is still to be told of an entry of the record",
    "conditions": "what lasts and should not, which is recorded as it begins",
    "breakers": "what a provider has not answered in the last minutes; to lose it loses nothing but that",
    "provider_tokens": "what a provider gives for credentials, which are watched, for an hour",
}


_CAUSES = ("attempts", "withdrawals", "refunds", "reversals")
_CAUSED = " OR ".join(f"EXISTS (SELECT 1 FROM {table} WHERE id = new.cause_id)" for table in _CAUSES)


@dataclass
class Watching:
    """`silent`: table, where it was written, and the actions of that commit."""

    unsaid: Mapping[tuple[str, str], str] = field(default_factory=lambda: UNSAID)
    silent: set[tuple[str, str, tuple[str, ...]]] = field(default_factory=set)
    seen: set[tuple[str, str]] = field(default_factory=set)
    _written: list[tuple[str, str]] = field(default_factory=list)
    _marks: list[int] = field(default_factory=list)
    _changes: int = 0
    _last: int = 0
    _posted: int = 0

    def before(self, connection: Any, *_: Any) -> None:
        self._changes = _total(connection)

    def after(
        self, connection: Any, _cursor: Any, _sql: str, _values: Any, context: Any, _many: bool
    ) -> None:
        statement = getattr(getattr(context, "compiled", None), "statement", None)
        if not (context.isinsert or context.isupdate or context.isdelete) or statement is None:
            return
        table = statement.table.name
        if table in WATCHED and _total(connection) > self._changes and (site := _site()) is not None:
            self._written.append((table, site))

    def savepoint(self, _connection: Any, _name: str) -> None:
        self._marks.append(len(self._written))

    def released(self, *_: Any) -> None:
        self._marks.pop()

    def taken_back(self, *_: Any) -> None:
        del self._written[self._marks.pop() :]

    def rolled_back(self, _connection: Any) -> None:
        self._written.clear()
        self._marks.clear()

    def commits(self, connection: sa.Connection) -> None:
        rows = _asked(
            connection, "SELECT rowid, action FROM audit WHERE rowid > ? ORDER BY rowid", self._last
        )
        actions = tuple(row[1] for row in rows)
        self._last = max([self._last, *(row[0] for row in rows)])
        for table, site in self._written:
            self.seen.add((table, site))
            said = any(action.startswith(WATCHED[table]) for action in actions)
            if not said and (table, site) not in self.unsaid:
                self.silent.add((table, site, actions))
        self._posts(connection, actions)
        self.rolled_back(connection)

    def _posts(self, connection: sa.Connection, actions: tuple[str, ...]) -> None:
        """What the ledger posts by the driver itself, for what services keep rows of: a test that posts for
        nothing of it is none of them."""
        query = f"SELECT max(rowid), sum({_CAUSED}) FROM transfers AS new WHERE rowid > ?"
        ((last, caused),) = _asked(connection, query, self._posted)
        self._posted = max(self._posted, last or 0)
        if caused:
            self.seen.add(("transfers", _LEDGER))
            if not any(action.startswith(_MONEY) for action in actions):
                self.silent.add(("transfers", _LEDGER, actions))


def _asked(connection: sa.Connection, query: str, *values: Any) -> list[Any]:
    """By the driver's own, past the guard."""
    driver: Any = connection.connection.driver_connection
    return driver._conn.execute(query, values).fetchall()  # type: ignore[no-any-return]


@contextmanager
def watching(database: Database, unsaid: Mapping[tuple[str, str], str] = UNSAID) -> Iterator[Watching]:
    watch, engine = Watching(unsaid), database.engine.sync_engine
    heard: dict[str, Any] = {
        "before_cursor_execute": watch.before,
        "after_cursor_execute": watch.after,
        "savepoint": watch.savepoint,
        "release_savepoint": watch.released,
        "rollback_savepoint": watch.taken_back,
        "rollback": watch.rolled_back,
        "commit": watch.commits,
    }
    for name, listener in heard.items():
        sa.event.listen(engine, name, listener)
    try:
        yield watch
    finally:
        for name, listener in heard.items():
            sa.event.remove(engine, name, listener)


@contextmanager
def all_said(database: Database) -> Iterator[None]:
    """All that is committed within is told of in the audit."""
    if database.is_postgres:  # the statements are the same
        yield
        return
    with watching(database) as watch:
        yield
    assert watch.silent == set(), watch.silent


def _total(connection: Any) -> int:
    found: int = connection.connection.driver_connection.total_changes
    return found


def _site() -> str | None:
    """The innermost function of ours that has the statement executed; None where a test writes itself, or
    posts to the ledger itself."""
    site = None
    for where, function in _ours():
        if "site-packages/" in where:  # a virtual environment within the checkout
            continue
        if where.startswith("tests/"):
            return None
        if where != _TRANSITION:
            site = site or f"{where}:{function}"
            if not where.startswith(_LEDGER):
                return site
    return site


def _ours() -> Iterator[tuple[str, str]]:
    """Files and functions of the project that are being executed, the innermost first."""
    frame: FrameType | None = sys._getframe(3)
    greenlet = getcurrent()
    while True:
        while frame is not None:
            path = Path(frame.f_code.co_filename)
            if path.is_relative_to(ROOT) and path.name != "watched.py":
                yield str(path.relative_to(ROOT)), frame.f_code.co_name
            frame = frame.f_back
        greenlet = greenlet.parent
        if greenlet is None:
            return
        frame = greenlet.gr_frame
