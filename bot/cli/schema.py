"""The commands of the schema."""

from typing import TYPE_CHECKING

import typer

from bot.cli.console import REFUSED, commands, performed, show

if TYPE_CHECKING:
    from bot.settings import Settings

db = commands("The schema of the database.")


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the schema up to date."""
    from sqlalchemy.engine import make_url

    from bot.parts import refuse_newer_schema
    from services.store.upgrade import head, upgrade

    async def run(settings: "Settings") -> None:
        await refuse_newer_schema(settings)
        await upgrade(settings.migration_url, make_url(settings.database_url).username)

    performed(run)
    show({"revision": head()})


@db.command("restored")
def db_restored() -> None:
    """After a backup was restored, before a process starts: nothing is sent that may have been sent since."""
    from bot.commands.restored import restored

    show(performed(restored))


@db.command("current")
def db_current() -> None:
    """What the schema is, and what this release needs."""
    from services.store import upgrade
    from services.store.database import Database

    async def run(settings: "Settings") -> tuple[bool, str | None]:
        database = Database(settings.database_url)
        try:
            return upgrade.is_there(database), await upgrade.current(database)
        finally:
            await database.close()

    there, current = performed(run)
    if not there:
        typer.echo("There is no database yet. Make one with: python main.py db upgrade", err=True)
    show({"current": current, "needed": upgrade.head(), "up_to_date": current == upgrade.head()})
    raise typer.Exit(0 if current == upgrade.head() else REFUSED)
