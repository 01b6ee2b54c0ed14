"""The commands of webhooks to tenants' own systems."""

from datetime import datetime
from typing import Annotated, Literal

import typer

from bot.cli.console import Slug, commands, performed, show

webhooks = commands("What is posted to tenants' own systems: look, and send it again.")
State = Literal["waiting", "sending", "delivered", "dead"]
Endpoint = Annotated[str | None, typer.Option(help="The id of an endpoint.")]


@webhooks.command("list")
def webhooks_list(
    slug: Annotated[str | None, typer.Option("--tenant", help="One tenant's alone.")] = None,
) -> None:
    """All endpoints: whether they are on, since when nothing was taken, and what waits for them."""
    from bot.commands.webhooks import list_endpoints

    show(performed(lambda settings: list_endpoints(settings, slug)))


@webhooks.command("deliveries")
def webhooks_deliveries(
    slug: Slug,
    endpoint: Endpoint = None,
    state: Annotated[State | None, typer.Option(help="Those that were given up are dead.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
) -> None:
    """What was sent or is to be, the latest first, with why it was not taken; without what it says."""
    from bot.commands.webhooks import list_deliveries

    show(performed(lambda settings: list_deliveries(settings, slug, endpoint, state, limit)))


@webhooks.command("replay")
def webhooks_replay(
    slug: Slug,
    delivery: Annotated[str | None, typer.Argument(help="The id of a delivery.")] = None,
    endpoint: Endpoint = None,
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M"], help="In UTC.")
    ] = None,
) -> None:
    """Send a delivery again; or, with --endpoint and --since, all of an endpoint's that were given up."""
    from bot.commands.webhooks import replay_delivery, replay_endpoint

    if delivery is not None and endpoint is None and since is None:
        show(performed(lambda settings: replay_delivery(settings, slug, delivery)))
    elif delivery is None and endpoint is not None and since is not None:
        show(performed(lambda settings: replay_endpoint(settings, slug, endpoint, since)))
    else:
        raise typer.BadParameter("give the id of a delivery, or --endpoint with --since")
