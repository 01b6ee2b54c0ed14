"""The commands of costs."""

import csv
import sys
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.console import Slug, commands, performed, show

costs = commands("What providers charge the platform, and what messages cost.")


@costs.command("apply")
def costs_apply(file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)]) -> None:
    """Make what providers and messages cost what the file says; the same again changes nothing."""
    from bot.commands.costs import apply_costs

    show(performed(lambda settings: apply_costs(settings, file)))


@costs.command("show")
def costs_show() -> None:
    """The bands and rates, as a file has them."""
    from bot.commands.costs import show_costs

    show(performed(show_costs))


@costs.command("settle")
def costs_settle(slug: Slug) -> None:
    """Post what the provider's statement has, wherever it charged something else than was expected."""
    from bot.commands.costs import take_theirs

    show(performed(lambda settings: take_theirs(settings, slug)))


def margin(
    month: Annotated[str | None, typer.Option(help="As 2026-11; without it, this month.")] = None,
    slug: Annotated[str | None, typer.Option("--tenant", help="One tenant's alone.")] = None,
    *,
    as_csv: Annotated[bool, typer.Option("--csv", help="The lines as CSV.")] = False,
) -> None:
    """What tenants paid, what providers charged, and what is left, by tenant and rail; out of the ledger."""
    from bot.commands.costs import COLUMNS
    from bot.commands.costs import margin as told

    report = performed(lambda settings: told(settings, month, slug))
    if not as_csv:
        show(report)
        return
    writer = csv.DictWriter(sys.stdout, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(report["lines"])
