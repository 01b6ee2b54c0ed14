"""Making: a statement as a file, of any length in little memory.

The lines are read a page at a time in one snapshot and written by a thread: the loop goes on meanwhile, and
no transaction that writes is open. Few are made at once, since each keeps a connection as long as it takes.
"""

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO, BinaryIO, Protocol
from uuid import UUID

from bot.paper.batch_csv import as_csv
from bot.paper.statement.sheet import Sheet
from services.batches import results
from services.errors.statement import StatementTooLarge
from services.people.tenants import Tenant
from services.safety.vault import Vault
from services.statement import read
from services.statement.facts import MOST_LINES, Line
from services.statement.period import Period
from services.store.database import Database
from services.work import Work

MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pdf": "application/pdf",
}
_MOST_AT_ONCE = 2


class Writer(Protocol):
    """Of one form; nothing is to be said of the file before it is closed."""

    def lines(self, lines: Sequence[Line]) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True)
class Wanted:
    """A statement for somebody who reads this language."""

    period: Period
    form: str  # csv, xlsx, pdf
    language: str


class Statements:
    def __init__(self, database: Database, vault: Vault, clock: Callable[[], datetime]) -> None:
        self._database, self._vault, self._clock = database, vault, clock
        self._room = asyncio.Semaphore(_MOST_AT_ONCE)

    async def made(self, tenant: Tenant, wanted: Wanted) -> IO[bytes]:
        """The file at its beginning. Raises EmptyPeriod and StatementTooLarge."""
        file = tempfile.TemporaryFile()  # noqa: SIM115  whoever sends it closes it
        try:
            async with self._room:
                await self._write(file, tenant, wanted)
            file.seek(0)
        except BaseException:
            file.close()
            raise
        return file

    async def batch(self, tenant: Tenant, batch_id: UUID) -> bytes:
        """What has become of each of its lines, as CSV."""
        async with self._room, self._database.snapshot(tenant.id) as connection:
            lines = await results.of_lines(Work(connection, self._vault, tenant.id, self._clock()), batch_id)
        return as_csv(lines)

    async def _write(self, file: BinaryIO, tenant: Tenant, wanted: Wanted) -> None:
        async with self._database.snapshot(tenant.id) as connection:
            work = Work(connection, self._vault, tenant.id, self._clock())
            told = await read.statement(work, wanted.period, tenant.shop.currency)
            if told.count > MOST_LINES[wanted.form]:
                raise StatementTooLarge(wanted.form, told.count, MOST_LINES[wanted.form])
            sheet = Sheet(told, tenant.shop.name, tenant.shop.timezone, wanted.language)
            writer = await asyncio.to_thread(_opened, wanted.form, file, sheet)
            async for lines in read.pages(work, told):
                await asyncio.to_thread(writer.lines, lines)
        await asyncio.to_thread(writer.close)


def _opened(form: str, file: BinaryIO, sheet: Sheet) -> Writer:
    """What makes a form is loaded with the first of it."""
    match form:
        case "csv":
            from bot.paper.statement.as_csv import CsvStatement

            return CsvStatement(file, sheet)
        case "xlsx":
            from bot.paper.statement.as_xlsx import XlsxStatement

            return XlsxStatement(file, sheet)
        case _:
            from bot.paper.statement.as_pdf import PdfStatement

            return PdfStatement(file, sheet)
