"""Messages: how many a customer is sent for an order that is paid. Each of them costs the merchant money."""

from flows.text import LANGUAGES
from tests.flows.coverage import FOLDER, Translated

PAID_WITH_A_SAVED_METHOD = ("pay_with_saved_method", "pay_the_cart")
MOST = 3


class Counting(Translated):
    """Counts what WhatsApp is given."""

    count = 0

    def _written(self, name, reply):
        self.count += len(self.bodies(name, reply))
        return super()._written(name, reply)


async def of_paid_orders() -> dict[str, int]:
    """The most in any language, by transcript."""
    found = {}
    for name in PAID_WITH_A_SAVED_METHOD:
        written = (FOLDER / f"{name}.txt").read_text()
        counts = []
        for language in LANGUAGES:
            play = Counting(language)
            await play.run(written)
            counts.append(play.count)
        found[name] = max(counts)
    return found
