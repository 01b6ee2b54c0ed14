"""The commands about persons and what is held of them."""

from typing import Annotated

import typer

from bot.cli.console import Slug, commands, performed, show

person = commands("Customers and what is held of them.")
Phone = Annotated[str | None, typer.Option(help="Their phone.")]
Id = Annotated[str | None, typer.Option("--person", help="Their id.")]


@person.command("show")
def person_show(slug: Slug, phone: Phone = None, person_id: Id = None) -> None:
    """Everything that is held of a customer, to be given to them; it is noted that it was shown."""
    from bot.commands.persons import show_person

    who = _who(phone, person_id)
    show(performed(lambda settings: show_person(settings, slug, who)))


@person.command("rename")
def person_rename(
    name: Annotated[str, typer.Argument(help="What they are called.")],
    slug: Slug,
    phone: Phone = None,
    person_id: Id = None,
) -> None:
    """Put a customer's name right."""
    from bot.commands.persons import rename_person

    who = _who(phone, person_id)
    show(performed(lambda settings: rename_person(settings, slug, who, name)))


@person.command("erase")
def person_erase(
    slug: Slug,
    phone: Phone = None,
    person_id: Id = None,
    *,
    really: Annotated[bool, typer.Option("--apply", help="Do it; it takes a minute.")] = False,
) -> None:
    """What an erasure removes and keeps, and what stands in its way; with --apply it is done, for ever."""
    from bot.commands.persons import erase_person

    who = _who(phone, person_id)

    def say(line: str) -> None:
        typer.echo(line, err=True)

    show(performed(lambda settings: erase_person(settings, slug, who, really=really, say=say)))


def retention(
    *, really: Annotated[bool, typer.Option("--apply", help="Do it now, instead of at night.")] = False
) -> None:
    """How much of what is held has grown old, by tenant; with --apply it is forgotten."""
    from bot.commands.retention import apply_retention

    show(performed(lambda settings: apply_retention(settings, really=really)))


def _who(phone: str | None, person_id: str | None) -> str:
    if (phone is None) == (person_id is None):
        raise typer.BadParameter("name the person by --phone or by --person")
    return phone or person_id or ""
