"""Kinds: what can be changed from inside, how it is read, and when a change only makes things safer.

| kind        | asks                | wanted                                                        |
|-------------|---------------------|---------------------------------------------------------------|
| destination | integrations:manage | `{"method_type", "method_details"}`: where payouts go usually |
| limits      | finance:reconcile   | some of the keys of `[limits]`; null for none                 |
| fees        | finance:reconcile   | `{"method_type", "bands": [...]}`: all of this way out, as    |
|             |                     | `[[fees]]` of the tenant file has them; none: the usual fee   |
| staff       | users:manage        | `{"action": "add", "name", "phone", rights}`, or               |
|             |                     | `{"action": "set", "staff_id", rights}`, or                   |
|             |                     | `{"action": "remove", "staff_id"}`; rights are role or scopes |
| resume      | finance:reconcile   | `{}`: payouts that were stopped from inside go on             |

All are approved with finance:withdraw:approve, by as many as `policy` says.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from services.approval import Kind
from services.people.access import APPROVE, MANAGE_INTEGRATIONS, MANAGE_USERS, RECONCILE
from services.settings import destination, fees, limits, resume, staffing
from services.work import Work

Facts = dict[str, Any]


@dataclass(frozen=True)
class Setting:
    """`checked`: what was wanted, in its one spelling; raises InvalidChange. `now`: the same as it is at this
    moment. `masked`: fit to be shown. `safer`: of now and wanted. `put`: makes it so, under the lock of the
    tenant's row; raises InvalidChange and LeavesNoTwo. `keys`: what of the tenant file it changes. `weighty`:
    it takes what the largest withdrawal takes. `alerts`: the operator should look, whose income it is."""

    kind: Kind
    checked: Callable[[Work, Facts], Awaitable[Facts]]
    now: Callable[[Work, Facts], Awaitable[Facts]]
    masked: Callable[[Facts], dict[str, Any]]
    safer: Callable[[Facts, Facts], bool]
    put: Callable[[Work, Facts], Awaitable[None]]
    keys: Callable[[Facts], list[str]]
    weighty: bool = True
    alerts: bool = False


def _setting(name: str, ask: str, module: Any, **more: bool) -> Setting:
    return Setting(
        Kind(f"change_{name}", ask=ask, approve=APPROVE),
        module.checked,
        module.now,
        module.masked,
        module.safer,
        module.put,
        module.keys,
        **more,
    )


SETTINGS = {
    "destination": _setting("destination", MANAGE_INTEGRATIONS, destination),
    "limits": _setting("limits", RECONCILE, limits),
    "staff": _setting("staff", MANAGE_USERS, staffing),
    "fees": _setting("fees", RECONCILE, fees, alerts=True),
    "resume": _setting("resume", RECONCILE, resume, weighty=False),
}
