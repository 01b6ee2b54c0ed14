"""Console: what the commands of `main.py` share. Nothing heavy is imported before it is used."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from bot.settings import Settings

REFUSED = 1  # the exit code
_PUT_BACK = "Put the key that it was sealed under behind the others."
Slug = Annotated[str, typer.Option("--tenant", help="The tenant's slug.")]


def commands(about: str | None) -> typer.Typer:
    """Without rich's markup, which is a quarter of a second of imports."""
    return typer.Typer(
        no_args_is_help=True,
        rich_markup_mode=None,
        add_completion=False,
        pretty_exceptions_enable=False,
        help=about,
    )


def settings_read() -> "Settings":
    """Raises SettingsError."""
    from bot.settings import load

    return load()


def performed(act: Callable[["Settings"], Coroutine[Any, Any, Any]]) -> Any:
    from bot import log

    with refusals():
        settings = settings_read()
        log.configure("console", "warning")
        return asyncio.run(act(settings))


def show(data: Any) -> None:
    """As JSON."""
    typer.echo(json.dumps(data, indent=2, ensure_ascii=False, default=_told))


def _told(value: Any) -> str:
    """Times as RFC 3339 in UTC, as the API tells them."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value)


@contextmanager
def refusals() -> Iterator[None]:
    """What a person can put right is said in a sentence; everything else is a bug and shows its trace."""
    from bot.away import AWAY, sentence
    from bot.parts import CannotRun
    from bot.settings import SettingsError
    from services.people.file_lines import TenantFileError
    from services.safety.vault import Unopenable
    from services.store.security import RolesMissing

    try:
        yield
    except (CannotRun, RolesMissing, SettingsError, TenantFileError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(REFUSED) from None
    except Unopenable as error:
        typer.echo(f"No key in LIPACHAT_SECRET_KEYS opens {error}. {_PUT_BACK}", err=True)
        raise typer.Exit(REFUSED) from None
    except AWAY as error:
        typer.echo(sentence(error), err=True)
        raise typer.Exit(REFUSED) from None
