"""Auditing: what operators do with the audit from the command line. Each gives back data for JSON."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from bot.anchoring import Anchoring
from bot.commands.opening import known_tenant, opened
from bot.parts import CannotRun
from bot.settings import Settings
from services.audit import anchors
from services.audit.verify import verify
from services.safety.vault import Vault
from services.store.scope import AUDITOR


async def verify_audit(settings: Settings, slug: str | None, folder: Path | None) -> dict[str, Any]:
    """`folder`: else LIPACHAT_AUDIT__ANCHOR, where it is there. Raises CannotRun where no tenant
    is called so, or the named folder is not there."""
    async with opened(settings) as parts:
        read = _anchors(settings, folder, parts.vault)
        async with parts.database.reading(AUDITOR) as connection:
            tenant = await known_tenant(connection, slug) if slug else None
            verified = await verify(connection, parts.vault, read, tenant)
    return {
        "ok": not verified.findings and not read.forged,
        "tenants": verified.tenants,
        "entries": verified.entries,
        "findings": [asdict(finding) for finding in verified.findings],
        "anchors": {"files": read.files, "forged": read.forged, "unfinished": read.torn},
    }


async def anchor_audit(settings: Settings) -> dict[str, Any]:
    """At once. Raises CannotRun where no folder is set."""
    if settings.audit.anchor is None:
        raise CannotRun("LIPACHAT_AUDIT__ANCHOR is not set: it names the folder for the signed heads.")
    async with opened(settings) as parts:
        anchoring = Anchoring(parts.database, parts.vault, parts.clock, settings.audit.anchor)
        return {"anchored": await anchoring.once(), "folder": str(settings.audit.anchor)}


async def audit_keys(settings: Settings) -> dict[str, Any]:
    """The public keys: the first signs."""
    return {"public_keys": anchors.public_keys(Vault(settings.keys))}


def _anchors(settings: Settings, folder: Path | None, vault: Vault) -> anchors.Anchors:
    """Before the first run there is no folder of ours; one that was named has to be there."""
    if folder is not None and not folder.is_dir():
        raise CannotRun(f"There is no folder {folder}.")
    where = folder or settings.audit.anchor
    if where is None or not where.is_dir():
        return anchors.Anchors()
    return anchors.read(where, vault, settings.audit.believed)
