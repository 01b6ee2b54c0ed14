"""The commands of what came in."""

from typing import Annotated, Literal

import typer

from bot.cli.console import commands, performed, show

events = commands("What came in: look, and play again.")
State = Literal["parked", "waiting", "kept", "done", "held"]


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
