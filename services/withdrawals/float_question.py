"""The question what there is to pay a payout from: asked by the edge between two commits, like all calls."""

from dataclasses import dataclass, field
from uuid import UUID

from services import hooks, jobs
from services.news import Unpaid
from services.providers.abilities import PaysOut
from services.providers.base import Accepted, Answer, Refused, Unknown
from services.providers.floats import TellsFloat
from services.withdrawals import floats, ways
from services.withdrawals.attempt import sending
from services.work import Work


@dataclass(frozen=True)
class FloatQuestion:
    """Whom to ask, and what `TellsFloat.ask_float` takes."""

    provider: str
    method_type: str
    callback_url: str = field(repr=False)
    timeout_url: str = field(repr=False)

    async def ask(self, client: PaysOut) -> Answer:
        """A provider that tells no floats refuses."""
        if not isinstance(client, TellsFloat):
            return Refused(Unpaid.PROVIDER, "it tells no float")
        return await client.ask_float(self.method_type, self.callback_url, self.timeout_url)


async def begin_float(work: Work, payout_id: UUID, public_url: str) -> FloatQuestion | None:
    """What to ask after the commit, once: who asked and never came back has asked. None where the payout has
    gone, ended or is stopped by now."""
    one = await sending(work, payout_id)
    await jobs.finish(work, payout_id, "float")
    stopped = await ways.cause(work, one.withdrawal.method_type) is not None  # to ask may lock the credential
    if one.row.state != "created" or stopped:
        return None
    return FloatQuestion(
        provider=one.row.provider,
        method_type=one.withdrawal.method_type,
        callback_url=await hooks.address(work, public_url, "float", payout_id),
        timeout_url=await hooks.address(work, public_url, "float_timeout", payout_id),
    )


async def float_answered(work: Work, payout_id: UUID, answer: Answer) -> None:
    """Told at once, later by callback, or not at all: then nobody waits for it longer."""
    match answer:
        case Accepted(told=None) | Unknown():
            pass
        case Accepted(told=report) if report is not None:
            await floats.reported(work, payout_id, report)
        case _:
            await floats.not_told(work, payout_id)
