"""The commands of the audit."""

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.console import REFUSED, commands, performed, show

audit = commands("The record of who did what.")


@audit.command("verify")
def audit_verify(
    slug: Annotated[str | None, typer.Option("--tenant", help="The tenant's slug; else all.")] = None,
    anchors: Annotated[
        Path | None, typer.Option(help="The folder of signed heads; else LIPACHAT_AUDIT__ANCHOR.")
    ] = None,
) -> None:
    """Prove that the audit is as it was written; exit 1 with the first bad entry otherwise."""
    from bot.commands.audit import verify_audit

    told = performed(lambda settings: verify_audit(settings, slug, anchors))
    show(told)
    raise typer.Exit(0 if told["ok"] else REFUSED)


@audit.command("anchor")
def audit_anchor() -> None:
    """Sign and keep where the chains end now; a worker does it every five minutes."""
    from bot.commands.audit import anchor_audit

    show(performed(anchor_audit))


@audit.command("key")
def audit_key() -> None:
    """The public keys that tell our signed heads from forged ones."""
    from bot.commands.audit import audit_keys

    show(performed(audit_keys))
