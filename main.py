"""The command line. Heavy parts are imported inside the commands, so that --help is quick."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from bot.settings import Settings


def _commands(about: str | None) -> typer.Typer:
    """Without rich's markup, which is a quarter of a second of imports."""
    return typer.Typer(
        no_args_is_help=True,
        rich_markup_mode=None,
        add_completion=False,
        pretty_exceptions_enable=False,
        help=about,
    )


app = _commands(__doc__)
db = _commands("The schema of the database.")
tenant = _commands("Tenants and their files.")
ledger = _commands("The books.")
apikey = _commands("Keys of the API.")
events = _commands("What came in: look, and play again.")
forms = _commands("Forms in WhatsApp, and the key that opens what they send.")
staff = _commands("The staff of a tenant.")
_GROUPS = {
    "db": db,
    "tenant": tenant,
    "staff": staff,
    "apikey": apikey,
    "forms": forms,
    "ledger": ledger,
    "events": events,
}
for name, group in _GROUPS.items():
    app.add_typer(group, name=name)

_REFUSED = 1

State = Literal["parked", "waiting", "kept", "done", "held"]
Host = Annotated[str, typer.Option(help="Address to listen on.")]
Port = Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")]


@app.command()
def sandbox(
    host: Host = "127.0.0.1",
    port: Port = 8080,
    data: Annotated[Path, typer.Option(help="Where it keeps its data.")] = Path(".data/sandbox"),
    *,
    reset: Annotated[bool, typer.Option("--reset", help="Forget what was there.")] = False,
) -> None:
    """Everything on this machine: the app on PORT, emulated WhatsApp and M-Pesa with phones on PORT+1."""
    _end_when_told()
    from bot.sandbox.run import sandbox as run

    with _refusals():
        run(host, port, data, reset=reset)


@app.command()
def serve(
    host: Host = "127.0.0.1",
    port: Port = 8080,
    workers: Annotated[int, typer.Option(min=1, help="Processes on the one port.")] = 1,
    *,
    no_worker: Annotated[bool, typer.Option("--no-worker", help="Only take webhooks.")] = False,
) -> None:
    """The web server, with its worker inside."""
    _end_when_told()
    from bot.run import serve as run

    with _refusals():
        run(_settings(), host, port, workers, worker=not no_worker)


@app.command()
def work() -> None:
    """A worker alone; as many as you like, on as many machines."""
    _end_when_told()
    from bot.run import work as run

    with _refusals():
        run(_settings())


@app.command()
def flows() -> None:
    """The conversations as a Mermaid flowchart."""
    from flows.graph import mermaid
    from flows.lipachat import SCRIPT

    sys.stdout.write(mermaid(SCRIPT))


@app.command()
def doctor(*, as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Look at everything and change nothing; each finding with its fix."""
    from bot import doctor as examining
    from bot import log
    from bot.settings import SettingsError

    try:
        settings = _settings()
    except SettingsError as error:
        findings = examining.unsettled(error)
    else:
        log.configure("console", "error")
        findings = asyncio.run(examining.examine(settings))
    if as_json:
        _print([finding.as_dict() for finding in findings])
    else:
        for finding in findings:
            typer.echo(
                f"{finding.level:8} {finding.what}"
                + (f"\n         fix: {finding.fix}" if finding.fix else "")
            )
    raise typer.Exit(examining.exit_code(findings))


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the schema up to date."""
    from services.store.upgrade import head, upgrade

    async def run(settings: "Settings") -> None:
        await upgrade(settings.migration_url)

    _run(run)
    _print({"revision": head()})


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

    there, current = _run(run)
    if not there:
        typer.echo("There is no database yet. Make one with: python main.py db upgrade", err=True)
    _print({"current": current, "needed": upgrade.head(), "up_to_date": current == upgrade.head()})
    raise typer.Exit(0 if current == upgrade.head() else _REFUSED)


@tenant.command("apply")
def tenant_apply(file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)]) -> None:
    """Create or change a tenant by its file; applying the same again changes nothing."""
    from bot.commands import apply_file

    _print(_run(lambda settings: apply_file(settings, file)))


@tenant.command("show")
def tenant_show(slug: str) -> None:
    """The configuration with secrets masked."""
    from bot.commands import show_tenant

    _print(_run(lambda settings: show_tenant(settings, slug)))


@tenant.command("unfreeze")
def tenant_unfreeze(slug: str) -> None:
    """Let the tenant's payouts go on, once the cause has been looked at: see the alerts in its audit."""
    from bot.commands import unfreeze_tenant

    _print(_run(lambda settings: unfreeze_tenant(settings, slug)))


@staff.command("verify")
def staff_verify(
    slug: Annotated[str, typer.Option("--tenant", help="The tenant's slug.")],
    who: Annotated[str, typer.Option("--staff", help="An id or a phone of theirs.")],
) -> None:
    """Give rights back that rest since their WhatsApp changed, once you have spoken to them and know them."""
    from bot.commands import verify_staff

    _print(_run(lambda settings: verify_staff(settings, slug, who)))


@apikey.command("create")
def apikey_create(
    slug: Annotated[str, typer.Option("--tenant", help="The tenant's slug.")],
    who: Annotated[str, typer.Option("--staff", help="An id or a phone of its staff.")],
) -> None:
    """A key that carries the scopes of one of the staff; it is shown this once."""
    from bot.commands import create_key

    _print(_run(lambda settings: create_key(settings, slug, who)))


@apikey.command("revoke")
def apikey_revoke(prefix: str) -> None:
    """Holds at once, everywhere."""
    from bot.commands import revoke_key

    _print(_run(lambda settings: revoke_key(settings, prefix)))


@forms.command("key")
def forms_key() -> None:
    """Make a private key for LIPACHAT_WHATSAPP__FORMS_KEY; it is kept nowhere else."""
    from bot.whatsapp.forms import new_key

    typer.echo(new_key(), nl=False)


@forms.command("publish")
def forms_publish(slug: Annotated[str, typer.Option("--tenant", help="The tenant's slug.")]) -> None:
    """Give Meta the public half for the number of a tenant: once for each, and after a change of the key."""
    from bot.commands import publish_forms_key

    _print(_run(lambda settings: publish_forms_key(settings, slug)))


@ledger.command("check")
def ledger_check() -> None:
    """Prove the books; exit 1 with the first bad row otherwise."""
    from bot.commands import check_ledger

    breaches = _run(check_ledger)
    _print({"ok": not breaches, "breaches": breaches})
    raise typer.Exit(_REFUSED if breaches else 0)


@events.command("list")
def events_list(
    state: Annotated[State, typer.Option(help="Of events; held are messages of ours.")] = "parked",
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
) -> None:
    """Events by state, the latest first; or the messages that wait until their person writes."""
    from bot.commands import list_events

    _print(_run(lambda settings: list_events(settings, state, limit)))


@events.command("show")
def events_show(seq: int) -> None:
    """One event with its body; phones are masked."""
    from bot.commands import show_event

    _print(_run(lambda settings: show_event(settings, seq)))


@events.command("replay")
def events_replay(seq: int) -> None:
    """Have a parked or kept event played again."""
    from bot.commands import replay_event

    _print(_run(lambda settings: replay_event(settings, seq)))


def _end_when_told() -> None:
    """Until the process listens for it itself (`bot.run.told_to_stop`) it has nothing to finish."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(0))


def _settings() -> "Settings":
    from bot.settings import load

    return load()


def _run(act: Callable[["Settings"], Coroutine[Any, Any, Any]]) -> Any:
    from bot import log

    with _refusals():
        settings = _settings()
        log.configure("console", "warning")
        return asyncio.run(act(settings))


def _print(data: Any) -> None:
    typer.echo(json.dumps(data, indent=2, ensure_ascii=False, default=str))


@contextmanager
def _refusals() -> Iterator[None]:
    """What a person can put right is said in a sentence; everything else is a bug and shows its trace."""
    from bot.away import AWAY, sentence
    from bot.run import CannotRun
    from bot.settings import SettingsError
    from services.people.file_lines import TenantFileError

    try:
        yield
    except (CannotRun, SettingsError, TenantFileError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(_REFUSED) from None
    except AWAY as error:
        typer.echo(sentence(error), err=True)
        raise typer.Exit(_REFUSED) from None


if __name__ == "__main__":
    app()
