"""The command that counts messages."""

from typing import Annotated

import typer

from bot.cli.console import Slug, performed, show


def messages(
    slug: Slug,
    month: Annotated[str | None, typer.Option(help="As 2026-11; without it, this month.")] = None,
) -> None:
    """How many messages were sent and what they cost, as WhatsApp charges them."""
    from bot.commands.messages import count_messages

    show(performed(lambda settings: count_messages(settings, slug, month)))
