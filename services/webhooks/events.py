"""Events: the types, and what the body of each says. Ids, amounts and words of ours: who is concerned is
read by the API, so that nothing of a person lies with receivers, or here, once the person is erased."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class _Data(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: UUID
    status: str
    amount: str = Field(description="A decimal with the currency's places.", examples=["1000.00"])
    currency: str = Field(examples=["KES"])


class PaymentData(_Data):
    """A payment, as `GET /api/v1/payments/{id}` has it. `refunded`: what of it has gone back by now."""

    order_id: UUID
    provider: str | None
    receipt: str | None
    refunded: str


class RefundData(_Data):
    """A refund, as `GET /api/v1/refunds/{id}` has it."""

    payment_id: UUID
    way: str
    receipt: str | None


class WithdrawalData(_Data):
    """A withdrawal, as `GET /api/v1/wallet/withdrawals/{id}` has it."""

    fee: str
    net_amount: str
    method_type: str
    receipt: str | None


Data = PaymentData | RefundData | WithdrawalData


class Body(BaseModel):
    """What is posted. `timestamp`: when it happened."""

    model_config = ConfigDict(frozen=True)

    type: str
    timestamp: datetime
    data: Data


@dataclass(frozen=True)
class EventType:
    """`status`: what the object had come to; None where the event leaves it as it is."""

    data: type[PaymentData | RefundData | WithdrawalData]
    status: str | None
    about: str


TYPES: dict[str, EventType] = {
    "payment.succeeded": EventType(PaymentData, "succeeded", "A payment was credited to the wallet."),
    "payment.failed": EventType(
        PaymentData, "failed", "The provider said no. The customer may try again, and may still succeed."
    ),
    "payment.expired": EventType(
        PaymentData, "expired", "Nothing was heard in time. Money that still arrives is credited."
    ),
    "payment.canceled": EventType(
        PaymentData, "canceled", "The customer no longer waits. Money that still arrives is credited."
    ),
    "payment.paid_twice": EventType(
        PaymentData, None, "Another success for an order that is paid: kept apart from the wallet."
    ),
    "payment.refunded": EventType(
        PaymentData, None, "A refund has gone back to the payer, of the whole or of a part."
    ),
    "payment.taken_back": EventType(
        PaymentData, None, "The provider took money back by itself: a reversal, or a lost dispute."
    ),
    "payment.restored": EventType(PaymentData, None, "What had gone back to the payer is there again."),
    "refund.requested": EventType(RefundData, "pending", "A refund was asked for, and waits for approval."),
    "refund.approved": EventType(RefundData, "processing", "A refund was approved, and is sent."),
    "refund.completed": EventType(RefundData, "completed", "A refund has gone back."),
    "refund.failed": EventType(
        RefundData, "failed", "A refund did not go back; also one that was completed, and came back."
    ),
    "refund.rejected": EventType(RefundData, "rejected", "An approver rejected a refund."),
    "refund.canceled": EventType(RefundData, "canceled", "A refund was taken back before it was decided."),
    "refund.expired": EventType(RefundData, "expired", "Nobody decided a refund in time."),
    "withdrawal.requested": EventType(
        WithdrawalData,
        "pending",
        "A withdrawal waits for approval; again where it was approved, and not sent in time.",
    ),
    "withdrawal.approved": EventType(
        WithdrawalData, "processing", "The last approval that a withdrawal needs was given."
    ),
    "withdrawal.processing": EventType(
        WithdrawalData, "processing", "A withdrawal is being sent to the provider."
    ),
    "withdrawal.completed": EventType(WithdrawalData, "completed", "A withdrawal was paid out."),
    "withdrawal.failed": EventType(
        WithdrawalData, "failed", "A withdrawal was not paid out; also one that was completed, and came back."
    ),
    "withdrawal.rejected": EventType(WithdrawalData, "rejected", "An approver rejected a withdrawal."),
    "withdrawal.canceled": EventType(
        WithdrawalData, "canceled", "A withdrawal was taken back before it was decided."
    ),
    "withdrawal.expired": EventType(WithdrawalData, "expired", "Nobody decided a withdrawal in time."),
    "withdrawal.paid_late": EventType(
        WithdrawalData, None, "A withdrawal that had failed was paid out after all, and is debited."
    ),
}
