"""The question what there is to pay from: asked by the edge between two commits, like all calls."""

from dataclasses import dataclass, field
from uuid import UUID

from services import hooks, jobs
from services.news import Unpaid
from services.providers.abilities import PaysOut
from services.providers.base import Accepted, Answer, Refused, Unknown
from services.providers.floats import TellsFloat
from services.withdrawals import floats, ways
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


async def begin_float(work: Work, target_id: UUID, public_url: str) -> FloatQuestion | None:
    """What to ask after the commit, once: who asked and never came back has asked. None where the payout or
    refund has gone, ended or is stopped by now."""
    one = await floats.asked_for(work, target_id)
    await jobs.finish(work, target_id, "float")
    stopped = await ways.cause(work, one.way) is not None  # to ask may lock the credential
    if one.state != "created" or stopped:
        return None
    told, timeout = (hooks.of_refund(each) if one.of_refund else each for each in ("float", "float_timeout"))
    return FloatQuestion(
        provider=one.provider,
        method_type=one.way,
        callback_url=await hooks.address(work, public_url, told, target_id),
        timeout_url=await hooks.address(work, public_url, timeout, target_id),
    )


async def float_answered(work: Work, target_id: UUID, answer: Answer) -> None:
    """Told at once, later by callback, or not at all: then nobody waits for it longer."""
    match answer:
        case Accepted(told=None) | Unknown():
            pass
        case Accepted(told=report) if report is not None:
            await floats.reported(work, target_id, report)
        case _:
            await floats.not_told(work, target_id)
