"""Keys: a POST under an idempotency key happens once; what it was answered by is answered again for 24 hours.

Source: https://docs.stripe.com/api/idempotent_requests. So is a 500 of one that had begun; not
what was refused before: parameters that are wrong, a limit of requests, or one under the same key that is not
done yet.
"""

from dataclasses import dataclass

from bot.sandbox.stripe_shapes import StripeError
from bot.sandbox.world import Json

_LONGEST = 255
_KEPT_SECONDS = 24 * 3600


@dataclass(slots=True)
class Kept:
    """`status` is 0 while nothing is answered yet."""

    fingerprint: str
    at: int
    status: int = 0
    body: Json | None = None


class Keys:
    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], Kept] = {}

    def reset(self) -> None:
        self._kept.clear()

    def begin(self, account: str, key: str, fingerprint: str, now: int) -> Kept | None:
        """What was answered before; None for a new one. Raises StripeError."""
        if len(key) > _LONGEST:
            raise StripeError(400, "idempotency_error", "Idempotency keys are at most 255 characters long")
        known = self._kept.get((account, key))
        if known is None or now - known.at > _KEPT_SECONDS:
            self._kept[account, key] = Kept(fingerprint, now)
            return None
        if known.fingerprint != fingerprint:
            message = (
                "Keys for idempotent requests can only be used with the same parameters they were first used "
                f"with. Try using a key other than '{key}' if you meant to execute a different request."
            )
            raise StripeError(400, "idempotency_error", message)
        if not known.status:
            message = f"There is currently another in-progress request using this Idempotent Key ({key})."
            raise StripeError(409, "idempotency_error", message, "idempotency_key_in_use")
        return known

    def end(self, account: str, key: str, status: int, body: Json) -> None:
        kept = self._kept[account, key]
        kept.status, kept.body = status, body

    def drop(self, account: str, key: str) -> None:
        """It did not begin."""
        self._kept.pop((account, key), None)
