"""Batches: files of withdrawals, read as they really are, in memory."""

from collections import defaultdict
from datetime import timedelta

from services import errors
from services.batches import sheet
from services.batches.faults import BatchFaulty, Fault, Faulty
from services.errors.approval import TotpInvalid
from services.money import Money
from services.news.batches import Batch, BatchAsked, BatchMoved, BatchRead, BatchSelfApprovalTried, Sum
from services.readable import refuse_blank

MOST_TOLD = 10
_NOTHING = Money(0, "KES")


class FakeBatches:
    def __init__(self, business, me):
        self._business, self._me = business, me

    async def take(self, id, name, media):  # noqa: A002  the protocol's name
        """It comes at once; `media` is what stands in it."""
        b, nothing = self._business, Money(0, "KES")
        taken = Batch(
            id=id,
            name=name,
            count=0,
            amount=nothing,
            fee=nothing,
            net=nothing,
            sums=(),
            flags=b.flags,
            repeated=(),
            seen_at=None,
            new_destinations=False,
            maker_id=self._me.person_id,
            maker=self._me.name,
            state="taken",
            digest="d",
            created_at=b.now,
            expires_at=b.now + timedelta(days=1),
        )
        b.told.append((self._me.person_id, self._read(taken, media)))
        return taken

    def _read(self, taken, media):
        b, told = self._business, {"batch": taken.model_copy(update={"state": "faulty"})}
        if media == "lost":
            return BatchRead(**told, lost=True)
        if media == "huge":
            return BatchRead(**told, faults=(Faulty(line=0, because=Fault.TOO_LARGE),), count=1)
        content = media.encode("utf-16") if media == "odd" else media.replace(" / ", "\n").encode()
        read = sheet.read(content, "KES")
        faults = read.faults or b.faults_of(read.lines)
        if faults:
            return BatchRead(**told, faults=faults[:MOST_TOLD], count=len(faults))
        if b.owed:
            return BatchRead(**told, owed=b.owed)
        total = sum((line.gross for line in read.lines), Money(0, "KES"))
        if b.posted - b.held < total:
            return BatchRead(**told, available=b.posted - b.held, required=total)
        return BatchRead(batch=self._draft(taken, read.lines, total))

    def _draft(self, taken, lines, total):
        b, by = self._business, defaultdict(list)
        for line in lines:
            by[line.destination.method_type].append(line.gross)
        fee = Money(b.fee.minor * len(lines), "KES")
        draft = taken.model_copy(
            update={
                "state": "draft",
                "count": len(lines),
                "amount": total,
                "fee": fee,
                "net": total - fee,
                "sums": tuple(
                    Sum(of=way, count=len(each), amount=sum(each, Money(0, "KES")))
                    for way, each in by.items()
                ),
                **b.of_file,
            }
        )
        b.batches[draft.id] = draft
        return draft

    async def send(self, batch_id):
        b, batch = self._business, self._business.batches[batch_id]
        if b.over_file:
            fault, b.over_file = b.over_file, None
            raise BatchFaulty((fault,))
        batch = self._put(batch, "pending")
        b.told += [(one, BatchAsked(batch=batch)) for one in b.approvers() if one != batch.maker_id]
        return batch

    async def drop(self, batch_id):
        return self._put(self._business.batches[batch_id], "canceled")

    async def latest(self):
        found = [each for each in self._business.batches.values() if each.state != "draft"]
        return tuple(reversed(found))

    async def batch(self, batch_id):
        return self._business.batches[batch_id]

    async def approve(self, batch_id, digest, code=None):
        b, batch = self._business, self._waiting(batch_id)
        if batch.maker_id == self._me.person_id:
            b.told += [(owner, BatchSelfApprovalTried(batch=batch)) for owner in b.owners()]
            raise errors.FourEyesViolation
        if b.totp_above and batch.amount > b.totp_above and code is None:
            raise errors.StepUpRequired(enrolled=self._me.name in b.enrolled)
        if code is not None and code != b.code:
            raise TotpInvalid
        return self.moved(self._put(batch, "running", stands="processing"), by=self._me)

    async def reject(self, batch_id, reason):
        batch = self._waiting(batch_id)
        refuse_blank(reason)
        return self.moved(self._put(batch, "rejected"), by=self._me, reason=reason)

    async def cancel(self, batch_id):
        return self.moved(self._put(self._waiting(batch_id), "canceled"), by=self._me)

    def _waiting(self, batch_id):
        batch = self._business.batches[batch_id]
        if batch.state != "pending":
            raise errors.NotPending(batch.state)
        return batch

    def _put(self, batch, state, stands=None):
        of = (Sum(of=stands, count=batch.count, amount=batch.amount),) if stands else ()
        self._business.batches[batch.id] = batch.model_copy(update={"state": state, "stands": of})
        return self._business.batches[batch.id]

    def moved(self, batch, by=None, reason=None):
        b = self._business
        news = BatchMoved(batch=batch, by=by and by.name, reason=reason)
        b.told += [
            (one, news)
            for one in dict.fromkeys([batch.maker_id, *b.approvers()])
            if by is None or one != by.person_id
        ]
        return batch

    def end(self, state, failed=0):
        """The latest batch."""
        batch = next(reversed(self._business.batches.values()))
        batch = self._put(batch, state, stands="completed" if state == "done" else None)
        if failed:
            each = Money(batch.amount.minor // batch.count, "KES")
            bad = Sum(of="failed", count=failed, amount=each)
            good = Sum(of="completed", count=batch.count - failed, amount=batch.amount - each)
            batch = batch.model_copy(update={"stands": (good, bad)})
            self._business.batches[batch.id] = batch
        self.moved(batch)
