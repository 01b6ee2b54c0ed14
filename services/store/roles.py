"""Roles: PostgreSQL's part in keeping tenants apart.

Each database has three roles that own nothing and that nobody logs in as: NAME_app acts for one tenant,
NAME_platform for the installation, NAME_auditor reads. A connection takes one of them, whoever it logs in as,
and row security holds for all, the owner of the tables too. As NAME_app it sees the rows of the tenant that
the transaction has named (`app.tenant`), and none where it has named none.
"""

import hashlib
from uuid import UUID

from services.store.scope import AUDITOR, OWNER, PLATFORM, Scope

_MOST_BYTES = 50  # of a name of 63, with what follows
_KINDS = {PLATFORM: "platform", AUDITOR: "auditor"}
KINDS = ("app", "platform", "auditor")


def role(database: str, kind: str) -> str:
    """ "app", "platform" or "auditor"."""
    if len(database.encode()) > _MOST_BYTES:
        digest = hashlib.sha256(database.encode()).hexdigest()[:8]
        database = database.encode()[: _MOST_BYTES - 9].decode(errors="ignore") + "_" + digest
    return f"{database}_{kind}"


def kind_of(scope: Scope) -> str | None:
    """None where it is whoever has logged in."""
    return "app" if isinstance(scope, UUID) else _KINDS.get(scope)


def turning(database: str, scope: Scope, *, home: str | None = None, local: bool) -> str:
    """SQL that takes a connection to this scope, for its transaction (`local`) or its session; empty where it
    is `home`, which role it has anyway."""
    kind, word = kind_of(scope), "SET LOCAL" if local else "SET"
    parts = []
    if kind is None or kind != home:
        parts.append(f"{word} ROLE {'NONE' if kind is None else quoted(role(database, kind))}")
    if isinstance(scope, UUID):
        parts.append(f"{word} app.tenant = '{scope}'")
    elif scope is OWNER:
        parts.append(f"{word} app.owner = 'on'")
    return "; ".join(parts)


def quoted(name: str) -> str:
    escaped = name.replace('"', '""')
    return f'"{escaped}"'
