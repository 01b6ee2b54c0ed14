"""Handoff news: what is told while a person of the staff answers a customer."""

from enum import StrEnum
from typing import Literal
from uuid import UUID

from services.news.base import BaseNews


class Ended(StrEnum):
    """Why the bot answers the customer again."""

    CUSTOMER = "customer"  # they went back to it
    STAFF = "staff"  # who answered them is done
    QUIET = "quiet"  # nobody of the staff has written for a while
    NOBODY = "nobody"  # nobody has taken it
    IDENTITY = "identity"  # somebody else may be behind the chat


class _News(BaseNews):
    handoff_id: UUID


class PersonWanted(_News):
    """To the staff who answer customers: one of them wants a person. `words`: what they wrote last."""

    kind: Literal["person_wanted"] = "person_wanted"
    customer: str
    words: str


class CustomerWrote(_News):
    """To who answers them."""

    kind: Literal["customer_wrote"] = "customer_wrote"
    customer: str
    words: str


class CustomerGone(_News):
    """To who answered them: the bot answers them again."""

    kind: Literal["customer_gone"] = "customer_gone"
    customer: str
    because: Ended


class PersonWrote(_News):
    """To the customer: what a person of the staff has written."""

    kind: Literal["person_wrote"] = "person_wrote"
    words: str


class PersonGone(_News):
    """To the customer: the bot answers again."""

    kind: Literal["person_gone"] = "person_gone"
    because: Ended
