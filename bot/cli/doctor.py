"""The command that examines an installation."""

import asyncio
from typing import Annotated

import typer

from bot.cli.console import settings_read, show


def doctor(*, as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Look at everything and change nothing; each finding with its fix."""
    from bot import log
    from bot.doctor import installation as examining
    from bot.doctor.finding import lines
    from bot.settings import SettingsError

    try:
        settings = settings_read()
    except SettingsError as error:
        findings = examining.unsettled(error)
    else:
        log.configure("console", "error")
        findings = asyncio.run(examining.examine(settings))
    if as_json:
        show([finding.as_dict() for finding in findings])
    else:
        for line in lines(findings):
            typer.echo(line)
    raise typer.Exit(examining.exit_code(findings))
