"""Settings: what a conversation may do about the tenant's settings, for one person in one turn.

It has the shape of the protocol that the flows own, and no knowledge of them.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from services.approval import lending
from services.errors import MissingScope
from services.facts import Destination, Me, Member, Stopped
from services.news.approval import Lending
from services.news.settings import Change
from services.people import people
from services.people.access import APPROVE, MANAGE_INTEGRATIONS, MANAGE_USERS, RECONCILE
from services.phones import normalize
from services.rails import RAILS
from services.settings import changing, fees, limits, record, staffing
from services.store.schema import changes, lendings
from services.withdrawals import destinations, stop
from services.work import Work

SEE = frozenset({APPROVE, MANAGE_INTEGRATIONS, MANAGE_USERS, RECONCILE})


class Settings:
    def __init__(self, work: Work, me: Me) -> None:
        self._work, self._me = work, me

    async def changes(self) -> tuple[Change, ...]:
        self._need()
        return tuple(await record.read(self._work, changes.c.state.in_(record.OPEN)))

    async def change(self, change_id: UUID) -> Change:
        self._need()
        return await record.shown(self._work, change_id)

    async def ask(self, id: UUID, kind: str, wanted: dict[str, Any]) -> Change:  # noqa: A002  the protocol's name
        return await changing.ask(self._work, self._me.person_id, id, kind, wanted)

    async def limits(self) -> dict[str, Any]:
        self._need()
        return limits.masked(await limits.now(self._work, dict.fromkeys(limits.KEYS)))

    async def fees(self) -> dict[str, Any]:
        self._need()
        ways = [await fees.now(self._work, {"method_type": each}) for each in RAILS]
        return {each["method_type"]: fees.masked(each)["bands"] for each in ways}

    async def staff(self) -> tuple[Member, ...]:
        self._need()
        return await staffing.members(self._work)

    async def destination(self, method_type: str, details: Mapping[str, str]) -> Destination:
        self._need()
        return destinations.entered(method_type, details)

    async def phone(self, typed: str) -> str:
        return normalize(typed, (await people.tenant_of(self._work)).country)

    async def approve(self, change_id: UUID, digest: str, code: str | None = None) -> Change:
        return await changing.approve(self._work, self._me.person_id, change_id, digest, code)

    async def reject(self, change_id: UUID, reason: str) -> Change:
        return await changing.reject(self._work, self._me.person_id, change_id, reason)

    async def take_back(self, change_id: UUID) -> Change:
        return await changing.take_back(self._work, self._me.person_id, change_id)

    async def lendings(self) -> tuple[Lending, ...]:
        self._need()
        found = await lending.every(self._work, lendings.c.until > self._work.now)
        return tuple(each for each in found if each.state in ("pending", "lent"))

    async def lending(self, lending_id: UUID) -> Lending:
        self._need()
        return await lending.one(self._work, lending_id)

    async def borrowers(self) -> tuple[Member, ...]:
        await people.require(self._work, self._me.person_id, APPROVE)
        own = (await people.rights_to_approve(self._work)).own
        return tuple(
            each for each in await staffing.members(self._work) if APPROVE not in own.get(each.id, {APPROVE})
        )

    async def lend(self, id: UUID, borrower: UUID, until: datetime) -> Lending:  # noqa: A002  the protocol's name
        return await lending.lend(self._work, self._me.person_id, borrower, until, id)

    async def agree(self, lending_id: UUID, digest: str, code: str | None = None) -> Lending:
        return await lending.agree(self._work, self._me.person_id, lending_id, digest, code)

    async def refuse(self, lending_id: UUID, reason: str) -> Lending:
        return await lending.refuse(self._work, self._me.person_id, lending_id, reason)

    async def end(self, lending_id: UUID) -> Lending:
        return await lending.end(self._work, self._me.person_id, lending_id)

    async def stopped(self) -> Stopped | None:
        self._need()
        return await stop.described(self._work, await people.tenant_of(self._work))

    async def stop(self) -> Stopped:
        await stop.stop(self._work, self._me.person_id)
        found = await stop.described(self._work, await people.tenant_of(self._work))
        return found or Stopped(by=None, at=self._work.now)

    def _need(self) -> None:
        """Enough for what is only read; what changes anything is checked again where it is done."""
        if not self._me.scopes & SEE:
            raise MissingScope(RECONCILE)
