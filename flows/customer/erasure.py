"""Erasure: a customer wants what the shop holds of them erased. People do it, once no money is under way."""

from __future__ import annotations

from flows.step import Step
from flows.teller import Teller
from flows.text import Text


class ErasureWished(Step):
    staff: bool = False

    def says(self) -> Text:
        if self.staff:
            return Text(
                "You work at {shop}, and its record of money names who asked and approved. Ask the owner "
                "what is held of you."
            )
        return Text(
            "I have passed it on. Once no payment of yours is under way, what {shop} holds of you is erased: "
            "name, number, saved methods and messages. Receipts stay in its books, without your name."
        )


async def erase_me(teller: Teller, _rest: str = "") -> ErasureWished:
    if teller.me.is_staff:
        return ErasureWished(staff=True)
    await teller.wish_erasure()
    return ErasureWished()
