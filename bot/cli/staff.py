"""The commands of staff."""

import sys
from typing import Annotated

import typer

from bot.cli.console import Slug, commands, performed, show

staff = commands("The staff of a tenant.")


@staff.command("verify")
def staff_verify(
    slug: Slug,
    who: Annotated[str, typer.Option("--staff", help="An id or a phone of theirs.")],
) -> None:
    """Give rights back that rest since their WhatsApp changed, once you have spoken to them and know them."""
    from bot.commands.staff import verify_staff

    show(performed(lambda settings: verify_staff(settings, slug, who)))


@staff.command("totp")
def staff_totp(
    slug: Slug,
    who: Annotated[str, typer.Option("--staff", help="An id or a phone of theirs.")],
) -> None:
    """Give one of the staff one-time codes: they scan the QR with an authenticator app, this once."""
    from bot.commands.staff import enrol_staff

    told = performed(lambda settings: enrol_staff(settings, slug, who))
    if sys.stderr.isatty():
        import segno

        segno.make(told["otpauth_uri"]).terminal(out=sys.stderr, compact=True)
    show(told)
