"""Provider tokens: one per app in a row with a lease, since asking for a new one kills the last."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from services.safety.vault import Vault
from services.store.database import Database
from services.store.schema import NOBODY, provider_tokens
from services.store.scope import PLATFORM

_LEASE = timedelta(seconds=20)
_EARLY = timedelta(seconds=60)
_WAIT_SECONDS = 0.2


class SharedTokens:
    """The token of one app (a provider's consumer key), shared by all processes."""

    def __init__(self, database: Database, vault: Vault, app: str, clock: Callable[[], datetime]) -> None:
        self._database, self._vault, self._clock = database, vault, clock
        self._name, self._app = app, hashlib.sha256(app.encode()).digest()
        self._cached: tuple[str, datetime] | None = None

    async def get(self, fetch: Callable[[], Awaitable[tuple[str, int]]]) -> str:
        """The current token. Where there is none, whoever takes the lease fetches and the others wait."""
        while True:
            if self._cached and self._cached[1] > self._clock():
                return self._cached[0]
            if await self._read():
                continue
            if not await self._take_lease():
                await asyncio.sleep(_WAIT_SECONDS)
                continue
            try:
                token, seconds = await fetch()
            except BaseException:
                await self._store(None, self._clock())
                raise
            self._cached = (token, self._clock() + timedelta(seconds=seconds) - _EARLY)
            await self._store(token, self._cached[1])
            return token

    async def drop(self, token: str) -> None:
        """Forgets it, unless another process has a newer one already."""
        self._cached = None
        async with self._database.transaction(PLATFORM) as connection:
            sealed = await connection.scalar(
                sa.select(provider_tokens.c.sealed).where(provider_tokens.c.app_hash == self._app)
            )
            if sealed and self._open(sealed) == token:
                await connection.execute(self._mine(sa.update(provider_tokens)).values(sealed=None))

    def beside(self, name: str) -> "SharedTokens":
        """Another one of the same app."""
        return SharedTokens(self._database, self._vault, f"{self._name}:{name}", self._clock)

    async def _read(self) -> bool:
        async with self._database.reading(PLATFORM) as connection:
            row = (
                await connection.execute(
                    sa.select(provider_tokens.c.sealed, provider_tokens.c.expires_at).where(
                        provider_tokens.c.app_hash == self._app
                    )
                )
            ).first()
        if row is None or row.sealed is None or row.expires_at <= self._clock():
            return False
        self._cached = (self._open(row.sealed), row.expires_at)
        return True

    async def _take_lease(self) -> bool:
        now = self._clock()
        insert = postgresql.insert if self._database.is_postgres else sqlite.insert
        async with self._database.transaction(PLATFORM) as connection:
            await connection.execute(
                insert(provider_tokens).values(app_hash=self._app).on_conflict_do_nothing()
            )
            free = sa.or_(provider_tokens.c.leased_until.is_(None), provider_tokens.c.leased_until < now)
            stale = sa.or_(provider_tokens.c.sealed.is_(None), provider_tokens.c.expires_at <= now)
            taken = await connection.execute(
                self._mine(sa.update(provider_tokens)).where(free, stale).values(leased_until=now + _LEASE)
            )
            return taken.rowcount == 1

    async def _store(self, token: str | None, expires_at: datetime) -> None:
        sealed = token and self._vault.seal(token.encode(), NOBODY, "provider_tokens.sealed", self._app)
        async with self._database.transaction(PLATFORM) as connection:
            await connection.execute(
                self._mine(sa.update(provider_tokens)).values(
                    sealed=sealed, expires_at=expires_at, leased_until=None
                )
            )

    def _mine(self, update: sa.Update) -> sa.Update:
        return update.where(provider_tokens.c.app_hash == self._app)

    def _open(self, sealed: bytes) -> str:
        return self._vault.open(sealed, NOBODY, "provider_tokens.sealed", self._app).decode()
