"""Domains: the parts of a teller that have a name of their own."""

from typing import Protocol

from flows.teller.batches import Batches
from flows.teller.reconciliation import Reconciliation
from flows.teller.refunds import Refunds
from flows.teller.review import Review
from flows.teller.schedules import Schedules
from flows.teller.settings import Settings


class Domains(Protocol):
    @property
    def settings(self) -> Settings: ...
    @property
    def refunds(self) -> Refunds: ...
    @property
    def reconciliation(self) -> Reconciliation: ...
    @property
    def review(self) -> Review: ...
    @property
    def batches(self) -> Batches: ...
    @property
    def schedules(self) -> Schedules: ...
