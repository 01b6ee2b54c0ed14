"""The commands of the ledger."""

import typer

from bot.cli.console import REFUSED, commands, performed, show

ledger = commands("The books.")


@ledger.command("check")
def ledger_check() -> None:
    """Prove the books; exit 1 with the first bad row otherwise."""
    from bot.commands.ledger import check_ledger

    breaches = performed(check_ledger)
    show({"ok": not breaches, "breaches": breaches})
    raise typer.Exit(REFUSED if breaches else 0)
