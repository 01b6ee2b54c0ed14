"""Periods: for how many days what is kept. Also the settings of it (LIPACHAT_RETENTION__MESSAGES_DAYS...)."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

Days = Annotated[int, Field(ge=0, le=36_500)]


def _least(days: int, why: str) -> AfterValidator:
    def check(value: int) -> int:
        if 0 < value < days:
            raise ValueError(f"must be 0 or at least {days}: {why}")
        return value

    return AfterValidator(check)


Messages = Annotated[Days, _least(8, "WhatsApp tells the same again for a week")]
Details = Annotated[Days, _least(30, "a provider may still tell of a payment, and money go back by them")]
Webhooks = Annotated[Days, _least(7, "they are sent for a day or two, and replayed after that")]


class Periods(BaseModel):
    """0 keeps for ever. `messages`: what customers wrote and were sent, where they stand in a talk with the
    bot, and what they had put into a cart; `statuses`: what WhatsApp tells of a message; `parked`: events
    that failed and nobody played again; `talks`: what they wrote to the staff; `details`: phones and
    references of payments, the lines of files of withdrawals, and the addresses for a provider's answer;
    `methods`: saved methods of who is silent; `webhooks`: what was posted to the tenant's own systems."""

    model_config = ConfigDict(frozen=True)

    messages_days: Messages = 90
    statuses_days: Days = 7
    parked_days: Days = 365
    talks_days: Days = 180
    details_days: Details = 540
    methods_days: Days = 365
    webhooks_days: Webhooks = 30
