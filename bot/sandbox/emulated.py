"""Emulated: what the page and the control API see of any provider: prompts, payouts, and what it holds."""

from bot.sandbox.world import Json


class Emulated:
    """One that asks no phone and pays nothing out, where a provider does not say otherwise. Prompts, payouts
    and floats are shown as M-Pesa's are, by `view` of `daraja_prompts`, `daraja_payouts` and `money_box`."""

    def reset(self) -> None:
        """Forgets what was paid, not what the app still holds of it."""

    def asked(self) -> list[Json]:
        """The prompts."""
        return []

    def answer(self, prompt: str, outcome: str) -> bool:  # noqa: ARG002
        """What the person does with one, or "ignore"; False where it is none of these, or asks no more."""
        return False

    def sent(self) -> list[Json]:
        """The payouts."""
        return []

    def decide(self, payout: str, outcome: str) -> bool:  # noqa: ARG002
        """What becomes of one that waits; False where it is none of these, or does not."""
        return False

    def floats(self) -> list[Json]:
        """What payouts may draw on."""
        return []

    def set_float(self, whose: str, given: dict[str, int]) -> bool:  # noqa: ARG002
        """In whole shillings, "utility" or "working"; False for a merchant that is none of its own."""
        return False
