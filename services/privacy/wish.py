"""Wish: a customer wants what is held of them erased. The shop and, by an alert, the operator are told; it is
done by a person, who has looked at whether money is under way."""

from datetime import timedelta
from uuid import UUID

from services import audit, inbox
from services.news.privacy import ErasureWanted
from services.payments.asked import called
from services.people import people
from services.work import Work

_ONCE_IN = timedelta(days=1)
_WISHED = "person.wishes_erasure"


async def wish_erasure(work: Work, person_id: UUID) -> None:
    """Told once a day, however often it is wished."""
    if await audit.alerted(work, _WISHED, target=person_id, since=work.now - _ONCE_IN):
        return
    await audit.record(work, person_id, _WISHED, person_id, {}, alert=True)
    news = ErasureWanted(customer=await called(work, person_id))
    await inbox.tell_people(work, await people.reconcilers(work), news)
