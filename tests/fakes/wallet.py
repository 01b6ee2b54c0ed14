"""Wallet: what the staff do about the earnings."""

from datetime import timedelta

from services import errors
from services.banks import named
from services.errors.approval import TotpInvalid
from services.errors.limits import PayoutsBlocked, PayoutsStoppedBy
from services.errors.refunds import MoneyOwed
from services.errors.statement import EmptyPeriod
from services.facts import Balance, Quote
from services.news import (
    SelfApprovalTried,
    Withdrawal,
    WithdrawalApproved,
    WithdrawalClosed,
    WithdrawalRequested,
)
from services.news.staff import BalanceLow
from services.people.access import APPROVE, INITIATE, VIEW_FINANCE
from services.readable import refuse_blank
from services.statement.facts import Statement, Sum
from services.statement.period import days
from services.withdrawals import destinations
from tests.fakes.business import MINIMUM, NOTHING
from tests.fakes.person import PersonTeller


class WalletTeller(PersonTeller):
    async def balance(self):
        self._need(VIEW_FINANCE)
        b = self._business
        return Balance(
            posted=b.posted,
            held=b.held,
            available=b.posted - b.held,
            owed=b.owed,
            at=b.now,
            resting=tuple(b.resting),
        )

    async def statement(self, first, last):
        """All that the wallet has came in an hour ago, as three sales with their fees."""
        self._need(VIEW_FINANCE)
        b = self._business
        period = days(first, last, b.shop.timezone, b.now)
        if not period.since <= b.now - timedelta(hours=1) < period.until:
            raise EmptyPeriod(period.since, period.until, NOTHING)
        fee = b.fee
        return Statement(
            since=period.since,
            until=period.until,
            opening=NOTHING,
            closing=b.posted,
            held=b.held,
            owed=b.owed,
            sums=(
                Sum(kind="sale", count=b.sales, amount=b.posted + fee),
                Sum(kind="sale_fee", count=b.sales, amount=-fee),
            ),
        )

    async def destinations(self):
        self._need(INITIATE)
        return tuple(self._business.known)

    async def destination(self, method_type, details):
        self._need(INITIATE)
        return destinations.entered(method_type, details)

    async def quote(self, amount, method_type):
        self._need(INITIATE)
        if not amount.whole:
            raise errors.NotWholeShillings(amount)
        if owed := self._business.owed:
            raise MoneyOwed(owed)
        available = (await self.balance()).available
        net = amount - self._business.fee
        if net < MINIMUM:
            raise errors.BelowMinimum(MINIMUM, net, net=True)
        if self._business.over is not None:
            raise self._business.over
        if amount > available:
            raise errors.InsufficientBalance(available, amount)
        return Quote(gross=amount, fee=self._business.fee, net=net)

    async def withdraw(self, id, quote, destination):  # noqa: A002  the protocol's name
        self._need(INITIATE)
        b = self._business
        if quote.fee != b.fee:
            raise errors.Changed
        withdrawal = Withdrawal(
            id=id,
            amount=quote.gross,
            fee=quote.fee,
            net=quote.net,
            method_type=destination.method_type,
            destination=destination.label,
            new_destination=not destination.configured,
            maker_id=self.me.person_id,
            maker=self.me.name or "",
            status="pending",
            digest="d",
            flags=b.flags,
            created_at=b.now,
            expires_at=b.now + timedelta(hours=24),
        )
        b.withdrawals[id], b.destinations[id] = withdrawal, destination
        b.held += quote.gross
        available = b.posted - b.held
        if b.low_balance is not None and available < b.low_balance <= available + quote.gross:
            b.tell_wanting("low_balance", BalanceLow(available=available, limit=b.low_balance))
        for person in b.approvers():
            if person != self.me.person_id:
                b.told.append((person, WithdrawalRequested(withdrawal=withdrawal)))
        return withdrawal

    def _pending(self, withdrawal_id):
        withdrawal = self._business.withdrawals[withdrawal_id]
        if withdrawal.status != "pending":
            raise errors.NotPending(withdrawal.status)
        return withdrawal

    async def approve(self, withdrawal_id, digest, code=None):
        b, withdrawal = self._business, self._pending(withdrawal_id)
        if withdrawal.maker_id == self.me.person_id:
            for owner in b.owners():
                b.told.append((owner, SelfApprovalTried(withdrawal=withdrawal)))
            raise errors.FourEyesViolation
        self._need(APPROVE)
        if b.totp_above is not None and withdrawal.amount > b.totp_above:
            self.step_up(code)
        if b.halted is not None:
            raise PayoutsStoppedBy(b.halted.by, b.halted.at)
        if b.blocked_until is not None:
            raise PayoutsBlocked(b.blocked_until)
        if any(each.way == withdrawal.method_type for each in b.resting):
            raise errors.PayoutsFrozen(withdrawal.method_type)
        approved = b.put(withdrawal, "processing")
        for person in b.others(self.me, approved):
            b.told.append((person, WithdrawalApproved(withdrawal=approved, by=self.me.name or "")))
        return approved

    def step_up(self, code):
        b = self._business
        if code is None:
            raise errors.StepUpRequired(enrolled=self.me.name in b.enrolled)
        if code != b.code:
            raise TotpInvalid(used=code in b.used)
        b.used.add(code)
        b.code = None

    async def reject(self, withdrawal_id, reason):
        self._need(APPROVE)
        withdrawal = self._pending(withdrawal_id)
        refuse_blank(reason)
        return self._release(withdrawal, "rejected", reason)

    async def cancel_withdrawal(self, withdrawal_id):
        return self._release(self._pending(withdrawal_id), "canceled", None)

    def _release(self, withdrawal, status, reason):
        b = self._business
        closed = b.put(withdrawal, status)
        b.held -= closed.amount
        for person in b.others(self.me, closed):
            b.told.append((person, WithdrawalClosed(withdrawal=closed, by=self.me.name, reason=reason)))
        return closed

    async def withdrawal(self, withdrawal_id):
        if withdrawal_id not in self._business.withdrawals or not self.me.scopes:
            raise errors.NotFound("withdrawal")
        return self._as_read(self._business.withdrawals[withdrawal_id])

    async def awaiting_approval(self):
        return tuple(self._as_read(w) for w in self._business.withdrawals.values() if w.status == "pending")

    def _as_read(self, withdrawal):
        """Who may approve it reads the holder's name."""
        to = self._business.destinations.get(withdrawal.id)
        if to is None or APPROVE not in self.me.scopes:
            return withdrawal
        return withdrawal.model_copy(update={"named": named(to.label, to.details)})

    async def withdrawals(self):
        self._need(VIEW_FINANCE)
        return tuple(reversed(self._business.withdrawals.values()))
