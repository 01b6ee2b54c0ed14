"""Prompts by Paystack: a customer's phone is asked for an M-Pesa payment in the name of Paystack's.

https://paystack.com/docs/payments/payment-channels#mobile-money and /docs/api/charge. The id of our attempt
is the transaction's reference, which Paystack takes once. The phone asks for three minutes; of a success an
event tells, and of what fails nobody but the answer to a question.
"""

from collections.abc import Mapping

from services.money import Money
from services.news import Unpaid
from services.providers.abilities import Prompt
from services.providers.base import (
    Accepted,
    Answer,
    Limits,
    Pending,
    Refused,
    Report,
    Succeeded,
    Unknown,
    Word,
)
from services.providers.bodies import code_of, id_of
from services.providers.paystack_client import PaystackClient
from services.providers.paystack_collect import judge, word_of
from services.providers.paystack_words import Reply, subunits

# As M-Pesa has them; the least is Paystack's.
LIMITS: Mapping[str, Limits] = {
    "KES": Limits(Money.parse("3", "KES"), Money.parse("250000", "KES"), whole=True)
}
_ASKS = ("pay_offline", "pending", "processing", "ongoing", "queued")


class Prompting:
    """Asks phones, for `Paystack`."""

    _client: PaystackClient

    async def prompt(self, prompt: Prompt) -> Answer:
        """A reference that was taken before is asked about, and its phone never rings again."""
        if prompt.amount.currency not in LIMITS:
            return Refused(Unpaid.SHOP, "a currency in which no phone is asked", ours=True)
        ours = str(prompt.attempt_id)
        wanted = {
            "email": prompt.email,
            "amount": subunits(prompt.amount),
            "currency": prompt.amount.currency,
            "reference": ours,
            "mobile_money": {"phone": prompt.phone, "provider": "mpesa"},
            "metadata": {"order": prompt.reference},
        }
        reply = await self._client.post("/charge", wanted)
        if not isinstance(reply, Reply):
            return reply
        if not reply.fine:
            return judge(reply)
        if id_of(reply.data.get("reference")) != ours:
            return Unknown("the answer is about another payment")
        return Accepted(ours, told=Report("collect", frozenset({ours}), _word(reply, prompt), {}))


def _word(reply: Reply, prompt: Prompt) -> Word:
    """What is decided at once is told; what asks for anything but the phone goes on to be asked about."""
    status = code_of(reply.data.get("status")).lower()
    if status in _ASKS:
        return Pending(status)
    word = word_of(reply.data, str(prompt.attempt_id))
    if isinstance(word, Succeeded) and word.amount != prompt.amount:
        return Pending("a success with another amount", unheard=True)
    return word
