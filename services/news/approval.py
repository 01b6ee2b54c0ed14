"""News of approvals: what owners hear of one-time codes."""

from typing import Literal

from services.news.base import BaseNews


class CodesEnrolled(BaseNews):
    """To the owners and to whom it concerns: the operator has given this person one-time codes; `again`: in
    place of those that they had."""

    kind: Literal["codes_enrolled"] = "codes_enrolled"
    name: str
    again: bool


class CodesGuessed(BaseNews):
    """To the owners: so many wrong codes were typed for a request that it was closed. `reference` is its
    withdrawal's; `name` typed the last one."""

    kind: Literal["codes_guessed"] = "codes_guessed"
    name: str
    reference: str
