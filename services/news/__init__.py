"""News: what the business learns later and a person has to be told.

News reaches a conversation through the inbox, like a message, in the same commit as the fact that
it tells. Each kind is a frozen model; `kind` is what is stored.
"""

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from services.money import Money
from services.news.approval import (
    CodesEnrolled,
    CodesGuessed,
    LendingAsked,
    LendingMoved,
    RightLent,
    RightUsed,
    WithdrawalAskedAgain,
)
from services.news.base import BaseNews
from services.news.batches import BatchAsked, BatchMoved, BatchRead, BatchSelfApprovalTried
from services.news.conditions import KeyExpiring, ProviderDown, StillPending
from services.news.handoff import CustomerGone, CustomerWrote, PersonGone, PersonWanted, PersonWrote
from services.news.orders import OrderCanceled, OrderFulfilled
from services.news.payments import MethodAdded as MethodAdded
from services.news.payments import PageOpened as PageOpened
from services.news.payments import PaidTwice as PaidTwice
from services.news.payments import PaymentFailed as PaymentFailed
from services.news.payments import PaymentInDoubt as PaymentInDoubt
from services.news.payments import PaymentMethod as PaymentMethod
from services.news.payments import PaymentOpen as PaymentOpen
from services.news.payments import PaymentSettled as PaymentSettled
from services.news.privacy import ErasureWanted
from services.news.reconciliation import BreakReopened, BreaksAged
from services.news.refunds import (
    MoneyTakenBack,
    PaymentDisputed,
    PaymentKept,
    RefundDeclined,
    RefundMade,
    RefundRequested,
    RefundTold,
    RefundUndone,
    RefundWanted,
)
from services.news.requests import (
    PaymentReminder,
    PaymentRequested,
    RequestClosed,
    RequestDeclined,
    RequestPaid,
    RequestUnpaid,
)
from services.news.review import SettlementAsked, SettlementMoved
from services.news.schedules import ScheduleAsked, ScheduleMoved, ScheduleRan, ScheduleSelfApprovalTried
from services.news.settings import ChangeAsked, ChangeMoved, KeyRotated, StoppedByPerson
from services.news.staff import BalanceLow, DaySummed, SaleMade
from services.news.webhooks import EndpointDropped as EndpointDropped
from services.news.webhooks import EndpointSet as EndpointSet
from services.news.withdrawals import Flag as Flag
from services.news.withdrawals import FloatShort as FloatShort
from services.news.withdrawals import Resting as Resting
from services.news.withdrawals import SelfApprovalTried as SelfApprovalTried
from services.news.withdrawals import Withdrawal as Withdrawal
from services.news.withdrawals import WithdrawalApproved as WithdrawalApproved
from services.news.withdrawals import WithdrawalClosed as WithdrawalClosed
from services.news.withdrawals import WithdrawalHeldBack as WithdrawalHeldBack
from services.news.withdrawals import WithdrawalPaid as WithdrawalPaid
from services.news.withdrawals import WithdrawalPaidLate as WithdrawalPaidLate
from services.news.withdrawals import WithdrawalRequested as WithdrawalRequested
from services.reasons import Doubt as Doubt
from services.reasons import Frozen as Frozen
from services.reasons import Held as Held
from services.reasons import Unpaid as Unpaid
from services.reasons import Unsent as Unsent
from services.reasons import Unusual as Unusual

# --- to those who reconcile: the staff with finance:reconcile, owners among them


class OrderPaidTwice(BaseNews):
    """A customer's second payment is kept in suspense: it is theirs."""

    kind: Literal["order_paid_twice"] = "order_paid_twice"
    number: str
    amount: Money
    receipt: str | None


class OrderInDoubt(BaseNews):
    """A payment was told and is not credited: the provider's own books have to say what is so."""

    kind: Literal["order_in_doubt"] = "order_in_doubt"
    number: str
    amount: Money
    receipt: str | None
    because: Doubt
    told: Money | None = None  # the amount, where it was another one
    provider: str = "mpesa"


class SettingsWrong(BaseNews):
    """The provider refuses what the tenant's file says of it: customers cannot pay. At most hourly."""

    kind: Literal["settings_wrong"] = "settings_wrong"
    provider: str


class PayoutsStopped(BaseNews):
    """To those who reconcile: no payout leaves, or none by this way, until an operator has looked."""

    kind: Literal["payouts_stopped"] = "payouts_stopped"
    because: Frozen
    provider: str = "mpesa"  # whose word stopped them
    rail: str | None = None


class PayoutsResumed(BaseNews):
    """An operator has looked: what waits is sent now; of one way out, or all of it."""

    kind: Literal["payouts_resumed"] = "payouts_resumed"
    rail: str | None = None


class PayoutUndecided(BaseNews):
    """The provider was asked again and again, and does not say what became of it."""

    kind: Literal["payout_undecided"] = "payout_undecided"
    withdrawal: Withdrawal


class IdentityChanged(BaseNews):
    """To a person behind whose chat somebody else may be: saved methods were forgotten, rights rest."""

    kind: Literal["identity_changed"] = "identity_changed"
    methods: bool
    rights: bool


class StaffSuspended(BaseNews):
    """To those who reconcile: the rights of one of the staff rest, since their WhatsApp has changed."""

    kind: Literal["staff_suspended"] = "staff_suspended"
    name: str


class IdentityVerified(BaseNews):
    """To one of the staff: the operator has verified who it is, and their rights are as before."""

    kind: Literal["identity_verified"] = "identity_verified"


class TenantChanged(BaseNews):
    """To the tenant's owners: the operator has changed these settings."""

    kind: Literal["tenant_changed"] = "tenant_changed"
    changed: tuple[str, ...]


News = (
    PaymentSettled
    | PaymentFailed
    | PaymentOpen
    | PageOpened
    | PaymentRequested
    | PaymentReminder
    | RequestPaid
    | RequestDeclined
    | MethodAdded
    | RequestClosed
    | RequestUnpaid
    | OrderFulfilled
    | OrderCanceled
    | PaidTwice
    | PaymentInDoubt
    | WithdrawalRequested
    | WithdrawalApproved
    | WithdrawalClosed
    | WithdrawalHeldBack
    | WithdrawalPaid
    | WithdrawalPaidLate
    | SelfApprovalTried
    | OrderPaidTwice
    | OrderInDoubt
    | SettingsWrong
    | PayoutsStopped
    | FloatShort
    | PayoutsResumed
    | PayoutUndecided
    | IdentityChanged
    | StaffSuspended
    | IdentityVerified
    | TenantChanged
    | CodesEnrolled
    | ErasureWanted
    | CodesGuessed
    | WithdrawalAskedAgain
    | LendingAsked
    | LendingMoved
    | RightLent
    | RightUsed
    | PersonWanted
    | CustomerWrote
    | CustomerGone
    | PersonWrote
    | PersonGone
    | RefundRequested
    | RefundTold
    | RefundMade
    | RefundUndone
    | PaymentKept
    | RefundWanted
    | RefundDeclined
    | MoneyTakenBack
    | PaymentDisputed
    | BreaksAged
    | BreakReopened
    | SaleMade
    | DaySummed
    | BalanceLow
    | ChangeAsked
    | ChangeMoved
    | StoppedByPerson
    | KeyRotated
    | SettlementAsked
    | SettlementMoved
    | BatchRead
    | BatchAsked
    | BatchMoved
    | BatchSelfApprovalTried
    | ScheduleAsked
    | ScheduleMoved
    | ScheduleRan
    | ScheduleSelfApprovalTried
    | StillPending
    | ProviderDown
    | KeyExpiring
    | EndpointDropped
    | EndpointSet
)

read_news: TypeAdapter[News] = TypeAdapter(Annotated[News, Field(discriminator="kind")])
