"""The commands of what came in."""

from datetime import datetime
from typing import Annotated, Literal

import typer

from bot.cli.console import commands, performed, show

events = commands("What came in and what goes out: look, and play again.")
State = Literal["parked", "waiting", "kept", "done", "held", "dead"]


@events.command("list")
def events_list(
    state: Annotated[
        State, typer.Option(help="Of events; held and dead are messages of ours that nobody has got.")
    ] = "parked",
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    slug: Annotated[str | None, typer.Option("--tenant", help="One tenant's alone.")] = None,
    kind: Annotated[str | None, typer.Option(help="Such as message, hook or status; or a purpose.")] = None,
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"], help="In UTC.")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="Words of why it failed.")] = None,
) -> None:
    """Events by state with why they failed, the latest first; or messages that wait, or did not arrive."""
    from bot.commands.events import Wanted, list_events

    wanted = Wanted(state, limit, slug, kind, since, reason)
    show(performed(lambda settings: list_events(settings, wanted)))


@events.command("show")
def events_show(seq: int) -> None:
    """One event with its body; phones are masked."""
    from bot.commands.events import show_event

    show(performed(lambda settings: show_event(settings, seq)))


@events.command("replay")
def events_replay(seq: int) -> None:
    """Have a parked or kept event played again, or a provider's that was done: that changes nothing twice."""
    from bot.commands.events import replay_event

    show(performed(lambda settings: replay_event(settings, seq)))


@events.command("resend")
def events_resend(seq: int) -> None:
    """Send a message of ours again that did not arrive (list --state dead)."""
    from bot.commands.events import resend_message

    show(performed(lambda settings: resend_message(settings, seq)))
