"""The commands of keys."""

from typing import Annotated

import typer

from bot.cli.console import REFUSED, Slug, commands, performed, show

MOST_OVERLAP = 90 * 24
Days = Annotated[int, typer.Option("--days", min=1, max=3650, help="How long it lasts.")]

apikey = commands("Keys of the API.")
forms = commands("Forms in WhatsApp, and the key that opens what they send.")
keys = commands("The secret keys that everything is sealed under.")


@apikey.command("create")
def apikey_create(
    slug: Slug,
    who: Annotated[str, typer.Option("--staff", help="An id or a phone of its staff.")],
    days: Days = 365,
) -> None:
    """A key that carries the scopes of one of the staff; it is shown this once."""
    from bot.commands.keys import create_key

    show(performed(lambda settings: create_key(settings, slug, who, days)))


@apikey.command("list")
def apikey_list(slug: Slug) -> None:
    """All keys of a tenant: whose they are, until when, used last, and whether they work."""
    from bot.commands.keys import list_keys

    show(performed(lambda settings: list_keys(settings, slug)))


@apikey.command("rotate")
def apikey_rotate(
    prefix: str,
    overlap: Annotated[
        float, typer.Option("--overlap-hours", min=0, max=MOST_OVERLAP, help="How long the old one works on.")
    ] = 24,
    days: Days = 365,
) -> None:
    """A new key of the same person; the old one works on beside it for a while."""
    from bot.commands.keys import rotate_key

    show(performed(lambda settings: rotate_key(settings, prefix, overlap, days)))


@apikey.command("revoke")
def apikey_revoke(prefix: str) -> None:
    """Holds at once, everywhere."""
    from bot.commands.keys import revoke_key

    show(performed(lambda settings: revoke_key(settings, prefix)))


@forms.command("key")
def forms_key() -> None:
    """Make a private key for LIPACHAT_WHATSAPP__FORMS_KEY; it is kept nowhere else."""
    from bot.whatsapp.forms import new_key

    typer.echo(new_key(), nl=False)


@forms.command("publish")
def forms_publish(slug: Slug) -> None:
    """Give Meta the public half for the number of a tenant: once for each, and after a change of the key."""
    from bot.commands.forms import publish_forms_key

    show(performed(lambda settings: publish_forms_key(settings, slug)))


@keys.command("rotate")
def keys_rotate() -> None:
    """Seal everything anew under the first of LIPACHAT_SECRET_KEYS, while all goes on; exit 1 where a value
    cannot be opened."""
    from bot.commands.keys import rotate_keys

    told = performed(lambda settings: rotate_keys(settings, lambda line: typer.echo(line, err=True)))
    show(told)
    raise typer.Exit(REFUSED if told["unopenable"] else 0)
