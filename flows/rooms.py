"""Rooms: the parts of a teller that have a door of their own."""

from typing import Protocol

from flows.clerk import Clerk
from flows.desk import Desk
from flows.office import Office
from flows.paymaster import Paymaster
from flows.reviewer import Reviewer
from flows.rota import Rota


class Rooms(Protocol):
    @property
    def office(self) -> Office: ...
    @property
    def desk(self) -> Desk: ...
    @property
    def clerk(self) -> Clerk: ...
    @property
    def reviewer(self) -> Reviewer: ...
    @property
    def paymaster(self) -> Paymaster: ...
    @property
    def rota(self) -> Rota: ...
