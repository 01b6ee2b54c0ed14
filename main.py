"""The command line. Heavy parts are imported inside the commands, so that --help is quick."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bot.cli.audit import audit
from bot.cli.console import REFUSED, commands, performed, refusals, settings_read, show
from bot.cli.costs import costs, margin
from bot.cli.keys import apikey, forms, keys
from bot.cli.persons import person, retention

if TYPE_CHECKING:
    from bot.settings import Settings


app = commands(__doc__)
db = commands("The schema of the database.")
tenant = commands("Tenants and their files.")
ledger = commands("The books.")
events = commands("What came in: look, and play again.")
staff = commands("The staff of a tenant.")
app.add_typer(db, name="db")
app.add_typer(tenant, name="tenant")
app.add_typer(staff, name="staff")
app.add_typer(apikey, name="apikey")
app.add_typer(forms, name="forms")
app.add_typer(keys, name="keys")
app.add_typer(ledger, name="ledger")
app.add_typer(audit, name="audit")
app.add_typer(events, name="events")
app.add_typer(costs, name="costs")
app.add_typer(person, name="person")
app.command()(margin)
app.command()(retention)

State = Literal["parked", "waiting", "kept", "done", "held"]
Rail = Annotated[str | None, typer.Option(help="One way out alone: mpesa, till or bank_transfer.")]
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

    with refusals():
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

    with refusals():
        run(settings_read(), host, port, workers, worker=not no_worker)


@app.command()
def work() -> None:
    """A worker alone; as many as you like, on as many machines."""
    _end_when_told()
    from bot.run import work as run

    with refusals():
        run(settings_read())


@app.command()
def flows() -> None:
    """The conversations as a Mermaid flowchart."""
    from flows.graph import mermaid
    from flows.lipachat import SCRIPT

    sys.stdout.write(mermaid(SCRIPT))


@app.command()
def doctor(*, as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False) -> None:
    """Look at everything and change nothing; each finding with its fix."""
    from bot import log
    from bot.doctor import installation as examining
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
        for finding in findings:
            typer.echo(
                f"{finding.level:8} {finding.what}"
                + (f"\n         fix: {finding.fix}" if finding.fix else "")
            )
    raise typer.Exit(examining.exit_code(findings))


@db.command("upgrade")
def db_upgrade() -> None:
    """Bring the schema up to date."""
    from sqlalchemy.engine import make_url

    from services.store.upgrade import head, upgrade

    async def run(settings: "Settings") -> None:
        await upgrade(settings.migration_url, make_url(settings.database_url).username)

    performed(run)
    show({"revision": head()})


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


@tenant.command("apply")
def tenant_apply(file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)]) -> None:
    """Create or change a tenant by its file; applying the same again changes nothing."""
    from bot.commands.tenants import apply_file

    show(performed(lambda settings: apply_file(settings, file)))


@tenant.command("show")
def tenant_show(slug: str) -> None:
    """The configuration with secrets masked."""
    from bot.commands.tenants import show_tenant

    show(performed(lambda settings: show_tenant(settings, slug)))


@tenant.command("freeze")
def tenant_freeze(slug: str, rail: Rail = None) -> None:
    """Stop all of the tenant's payouts, or those of one way out; its staff are told."""
    from bot.commands.tenants import freeze_tenant

    show(performed(lambda settings: freeze_tenant(settings, slug, rail)))


@tenant.command("unfreeze")
def tenant_unfreeze(slug: str, rail: Rail = None) -> None:
    """Let the tenant's payouts go on, once the cause has been looked at: see the alerts in its audit."""
    from bot.commands.tenants import unfreeze_tenant

    show(performed(lambda settings: unfreeze_tenant(settings, slug, rail)))


@staff.command("verify")
def staff_verify(
    slug: Annotated[str, typer.Option("--tenant", help="The tenant's slug.")],
    who: Annotated[str, typer.Option("--staff", help="An id or a phone of theirs.")],
) -> None:
    """Give rights back that rest since their WhatsApp changed, once you have spoken to them and know them."""
    from bot.commands.staff import verify_staff

    show(performed(lambda settings: verify_staff(settings, slug, who)))


@staff.command("totp")
def staff_totp(
    slug: Annotated[str, typer.Option("--tenant", help="The tenant's slug.")],
    who: Annotated[str, typer.Option("--staff", help="An id or a phone of theirs.")],
) -> None:
    """Give one of the staff one-time codes: they scan the QR with an authenticator app, this once."""
    from bot.commands.staff import enrol_staff

    told = performed(lambda settings: enrol_staff(settings, slug, who))
    if sys.stderr.isatty():
        import segno

        segno.make(told["otpauth_uri"]).terminal(out=sys.stderr, compact=True)
    show(told)


@ledger.command("check")
def ledger_check() -> None:
    """Prove the books; exit 1 with the first bad row otherwise."""
    from bot.commands.ledger import check_ledger

    breaches = performed(check_ledger)
    show({"ok": not breaches, "breaches": breaches})
    raise typer.Exit(REFUSED if breaches else 0)


@events.command("list")
def events_list(
    state: Annotated[State, typer.Option(help="Of events; held are messages of ours.")] = "parked",
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
) -> None:
    """Events by state, the latest first; or the messages that wait until their person writes."""
    from bot.commands.events import list_events

    show(performed(lambda settings: list_events(settings, state, limit)))


@events.command("show")
def events_show(seq: int) -> None:
    """One event with its body; phones are masked."""
    from bot.commands.events import show_event

    show(performed(lambda settings: show_event(settings, seq)))


@events.command("replay")
def events_replay(seq: int) -> None:
    """Have a parked or kept event played again."""
    from bot.commands.events import replay_event

    show(performed(lambda settings: replay_event(settings, seq)))


@app.command()
def messages(
    slug: Annotated[str, typer.Option("--tenant", help="The tenant's slug.")],
    month: Annotated[str | None, typer.Option(help="As 2026-11; without it, this month.")] = None,
) -> None:
    """How many messages were sent, by the category and type that WhatsApp charges them under."""
    from bot.commands.messages import count_messages

    show(performed(lambda settings: count_messages(settings, slug, month)))


@app.command()
def reconcile(
    slug: Annotated[str, typer.Option("--tenant", help="The tenant's slug.")],
    provider: Annotated[str | None, typer.Option(help="One alone, such as mpesa.")] = None,
    file: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="A statement of M-Pesa's portal, as CSV.")
    ] = None,
    since: Annotated[str | None, typer.Option("--from", help="As 2026-11-24; else seven days ago.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="The last day; else up to now.")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Compare the books with what the provider says; exit 1 where they do not fit together."""
    from bot.commands import reconcile as reconciling

    asked = reconciling.Asked(slug, provider, file, since, until)
    outcome = performed(lambda settings: reconciling.reconcile(settings, asked))
    if as_json:
        show(reconciling.told(outcome))
    else:
        typer.echo("\n".join(reconciling.lines(outcome)))
    raise typer.Exit(0 if outcome.fits else REFUSED)


def _end_when_told() -> None:
    """Until the process listens for it itself (`bot.run.told_to_stop`) it has nothing to finish."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(0))


if __name__ == "__main__":
    app()
