"""Kinds: what can be changed from inside, how it is read, and when a change only makes things safer.

| kind        | asks                | wanted                                                        |
|-------------|---------------------|---------------------------------------------------------------|
| destination | integrations:manage | `{"method_type", "method_details"}`: where payouts go usually |
| limits      | finance:reconcile   | some of the keys of `[limits]`; null for none                 |
| staff       | users:manage        | `{"action": "add", "name", "phone", rights}`, or               |
|             |                     | `{"action": "set", "staff_id", rights}`, or                   |
|             |                     | `{"action": "remove", "staff_id"}`; rights are role or scopes |
| resume      | finance:reconcile   | `{}`: payouts that were stopped from inside go on             |

All are approved with finance:withdraw:approve. Fees are not among them: they are the platform's income, so
that only its operator sets them.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from services.approval import Kind
from services.people.access import APPROVE, MANAGE_INTEGRATIONS, MANAGE_USERS, RECONCILE
from services.settings import destination, limits, resume, staffing
from services.work import Work

Facts = dict[str, Any]


@dataclass(frozen=True)
class Setting:
    """`checked`: what was wanted, in its one spelling; raises InvalidChange. `now`: the same as it is at this
    moment. `masked`: fit to be shown. `safer`: of now and wanted. `put`: makes it so, under the lock of the
    tenant's row; raises InvalidChange and LeavesNoTwo. `keys`: what of the tenant file it changes."""

    kind: Kind
    checked: Callable[[Work, Facts], Awaitable[Facts]]
    now: Callable[[Work, Facts], Awaitable[Facts]]
    masked: Callable[[Facts], dict[str, str]]
    safer: Callable[[Facts, Facts], bool]
    put: Callable[[Work, Facts], Awaitable[None]]
    keys: Callable[[Facts], list[str]]


def _setting(name: str, ask: str, module: Any) -> Setting:
    return Setting(
        Kind(f"change_{name}", ask=ask, approve=APPROVE),
        module.checked,
        module.now,
        module.masked,
        module.safer,
        module.put,
        module.keys,
    )


SETTINGS = {
    "destination": _setting("destination", MANAGE_INTEGRATIONS, destination),
    "limits": _setting("limits", RECONCILE, limits),
    "staff": _setting("staff", MANAGE_USERS, staffing),
    "resume": _setting("resume", RECONCILE, resume),
}
