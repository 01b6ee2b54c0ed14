"""A merchant of the emulated Stripe: its account, and what its endpoint is told."""

import json
from dataclasses import replace
from typing import Any

from bot.sandbox.world import StripeAccount, World

KEY, SECRET, SLUG = "sk_test_merchant", "whsec_merchant", "mama-njeri"


def with_stripe(world: World) -> World:
    return replace(world, stripe=(StripeAccount("MAMA NJERI DUKA", SLUG, KEY, SECRET),))


def told(sandbox) -> list[tuple[str, dict[str, Any]]]:
    """The kinds of the events that came, and the things that they tell of."""
    events = [json.loads(raw) for raw, _ in sandbox.app.raw]
    return [(event["type"], event["data"]["object"]) for event in events]
