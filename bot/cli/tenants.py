"""The commands of tenants."""

from pathlib import Path
from typing import Annotated

import typer

from bot.cli.console import commands, performed, show

tenant = commands("Tenants and their files.")
Ask = Annotated[bool, typer.Option(help="Ask providers whether keys that are new are good.")]
Rail = Annotated[str | None, typer.Option(help="One way out alone: mpesa, till or bank_transfer.")]


@tenant.command("apply")
def tenant_apply(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)], *, ask: Ask = True
) -> None:
    """Create or change a tenant by its file; applying the same again changes nothing."""
    from bot.commands.tenants import apply_file

    show(performed(lambda settings: apply_file(settings, file, ask=ask)))


@tenant.command("show")
def tenant_show(slug: str) -> None:
    """The configuration with secrets masked."""
    from bot.commands.tenants import show_tenant

    show(performed(lambda settings: show_tenant(settings, slug)))


@tenant.command("methods")
def tenant_methods(
    slug: str,
    amount: Annotated[str, typer.Option(help="Of the payment, in the tenant's currency.")] = "1000",
    customer: Annotated[
        str | None, typer.Option(help="The id of one, else of whom nothing is known.")
    ] = None,
) -> None:
    """In which order ways to pay are offered to customers and why, and what providers leave unanswered."""
    from bot.commands.methods import tell_methods

    show(performed(lambda settings: tell_methods(settings, slug, amount, customer)))


@tenant.command("freeze")
def tenant_freeze(slug: str, rail: Rail = None) -> None:
    """Stop all of the tenant's payouts, or those of one way out; its staff are told."""
    from bot.commands.tenants import freeze_tenant

    show(performed(lambda settings: freeze_tenant(settings, slug, rail)))


@tenant.command("unfreeze")
def tenant_unfreeze(
    slug: str,
    rail: Rail = None,
    *,
    broken_chain: Annotated[
        bool, typer.Option("--broken-chain", help="Although transfers were tampered with; it is recorded.")
    ] = False,
) -> None:
    """Let the tenant's payouts go on, once the cause has been looked at: see the alerts in its audit."""
    from bot.commands.tenants import unfreeze_tenant

    show(performed(lambda settings: unfreeze_tenant(settings, slug, rail, broken_chain=broken_chain)))


@tenant.command("register")
def tenant_register(
    slug: str,
    *,
    again: Annotated[bool, typer.Option("--again", help="Also where it was done before.")] = False,
) -> None:
    """Have M-Pesa tell of what customers pay to the tenant's paybill or till by themselves; once."""
    from bot.commands.registering import register_address

    show(performed(lambda settings: register_address(settings, slug, again=again)))
