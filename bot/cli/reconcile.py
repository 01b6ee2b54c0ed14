"""The command that compares the books with what providers say."""

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.console import REFUSED, Slug, performed, show


def reconcile(
    slug: Slug,
    provider: Annotated[str | None, typer.Option(help="One alone, such as mpesa.")] = None,
    file: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="A statement of M-Pesa's portal, as CSV.")
    ] = None,
    since: Annotated[str | None, typer.Option("--from", help="As 2026-11-24; else seven days ago.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="The last day; else up to now.")] = None,
    closed: Annotated[
        str | None, typer.Option("--close", help="The id of a break that nobody else may close.")
    ] = None,
    reason: Annotated[str, typer.Option(help="Why it needs nothing more.")] = "",
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Compare the books with what the provider says; exit 1 where they do not fit together."""
    from bot.commands import reconcile as reconciling

    if closed is not None:
        show(performed(lambda settings: reconciling.close(settings, slug, closed, reason)))
        return
    asked = reconciling.Asked(slug, provider, file, since, until)
    outcome = performed(lambda settings: reconciling.reconcile(settings, asked))
    if as_json:
        show(reconciling.told(outcome))
    else:
        typer.echo("\n".join(reconciling.lines(outcome)))
    raise typer.Exit(0 if outcome.fits else REFUSED)
