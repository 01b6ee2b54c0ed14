"""The wallet: what is in it, and what may be withdrawn from it by which way."""

from typing import Annotated

from bot.api.answers import Answer, OneOf, Sum, Time
from bot.api.routes import Call, Reply, Routes
from services import fees, ledger
from services.money import Money
from services.people.access import VIEW_FINANCE
from services.rails import RAILS
from services.reasons import Frozen
from services.withdrawals import destinations, ways
from services.withdrawals.listing import masked_details

routes = Routes("Wallet")

WAYS = ("mpesa", "till", "bank_transfer")
MethodType = Annotated[str, OneOf(*WAYS)]


class RestingWay(Answer):
    """A way out by which nothing leaves now; null: none of them."""

    method_type: MethodType | None
    because: Annotated[str, OneOf(*Frozen)]
    since: Time | None


class Wallet(Answer):
    """`held`: asked for and not out yet. `owed`: what a provider took back beyond what there was."""

    posted: Sum
    held: Sum
    available: Sum
    owed: Sum
    currency: str
    resting: list[RestingWay]


class PayoutMethod(Answer):
    method_type: MethodType
    details: dict[str, str]  # masked


class WithdrawalOptions(Answer):
    """Minimums and fees by `method_type`."""

    available_methods: list[MethodType]
    configured_method: PayoutMethod | None
    minimum_amounts: dict[str, Sum]
    fees: dict[str, Sum]
    wallet_balance: Sum
    available_balance: Sum
    currency: str


@routes.get("/wallet", VIEW_FINANCE, answer=Wallet)
async def wallet(call: Call) -> Reply[Wallet]:
    """What is in the wallet."""
    balance = await ledger.balance(call.work, call.currency)
    resting = [
        RestingWay(method_type=each.way, because=each.because, since=each.since)
        for each in await ways.resting(call.work)
    ]
    return Reply(
        Wallet(
            posted=str(balance.posted),
            held=str(balance.held),
            available=str(balance.available),
            owed=str(balance.owed),
            currency=call.currency,
            resting=resting,
        )
    )


@routes.get("/wallet/withdrawal-options", VIEW_FINANCE, answer=WithdrawalOptions)
async def options(call: Call) -> Reply[WithdrawalOptions]:
    """What withdrawals may go by, with their fees and minimums."""
    balance = await ledger.balance(call.work, call.currency)
    configured = await destinations.configured_one(call.work)
    costs = {way: await fees.usual(call.work, way) for way in WAYS}
    method = None
    if configured is not None:
        details = masked_details(configured.details)
        method = PayoutMethod(method_type=configured.method_type, details=details)
    return Reply(
        WithdrawalOptions(
            available_methods=[way for way in WAYS if way in call.tenant.shop.pays_out_by],
            configured_method=method,
            minimum_amounts={way: str(Money(RAILS[way].minimum, "KES")) for way in WAYS},
            fees={way: str(fee) for way, fee in costs.items()},
            wallet_balance=str(balance.posted),
            available_balance=str(balance.available),
            currency=call.currency,
        )
    )
