"""The command that sets an installation up."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from bot.cli.console import REFUSED, refusals, show


def init(
    file: Annotated[Path, typer.Argument(dir_okay=False, help="The tenant file.")] = Path("tenant.toml"),
    answers: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="A file that answers, instead of you.")
    ] = None,
) -> None:
    """Ask for all that an installation and a tenant need, and try each of it; break off and go on later."""
    from bot import log
    from bot.doctor.finding import exit_code
    from bot.onboarding.asker import Answers, Terminal
    from bot.onboarding.wizard import init as ask_all
    from bot.parts import CannotRun
    from services.people.tenant_file import parsed

    log.configure("console", "error")
    with refusals():
        asker: Answers | Terminal
        if answers is not None:
            asker = Answers(str(answers), parsed(answers.read_text(), str(answers)), Terminal().say)
        elif sys.stdin.isatty():
            asker = Terminal()
        else:
            raise CannotRun("init asks at a terminal: run it at one, or give --answers FILE.")
        try:
            findings = ask_all(asker, file, show)
        except typer.Abort:
            typer.echo(
                "\nBroken off. What was proven is kept; the same command goes on from there.", err=True
            )
            raise typer.Exit(REFUSED) from None
        if isinstance(asker, Answers):
            for key in asker.unused():
                typer.echo(f"Mind: nothing has asked for {key}.", err=True)
    raise typer.Exit(REFUSED if exit_code(findings) == 2 else 0)  # noqa: PLR2004  broken
