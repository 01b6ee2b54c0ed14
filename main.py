"""The command line. Heavy parts are imported inside the commands, so that --help is quick."""

from bot.cli.audit import audit
from bot.cli.console import commands
from bot.cli.costs import costs, margin
from bot.cli.doctor import doctor
from bot.cli.events import events
from bot.cli.flows import flows
from bot.cli.init import init
from bot.cli.keys import apikey, forms, keys
from bot.cli.ledger import ledger
from bot.cli.messages import messages
from bot.cli.openapi import openapi
from bot.cli.persons import person, retention
from bot.cli.reconcile import reconcile
from bot.cli.running import sandbox, serve, work
from bot.cli.schema import db
from bot.cli.staff import staff
from bot.cli.tenants import tenant
from bot.cli.webhooks import webhooks

app = commands(__doc__)
for command in (init, margin, retention, sandbox, serve, work, flows, doctor, messages, openapi, reconcile):
    app.command()(command)
app.add_typer(db, name="db")
app.add_typer(tenant, name="tenant")
app.add_typer(staff, name="staff")
app.add_typer(apikey, name="apikey")
app.add_typer(forms, name="forms")
app.add_typer(keys, name="keys")
app.add_typer(ledger, name="ledger")
app.add_typer(audit, name="audit")
app.add_typer(events, name="events")
app.add_typer(webhooks, name="webhooks")
app.add_typer(costs, name="costs")
app.add_typer(person, name="person")

if __name__ == "__main__":
    app()
