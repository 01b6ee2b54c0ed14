"""Notices: what owners and those who reconcile are told, and need not answer."""

from flows.refusals import carrier_name, provider_name, receipt_shown
from flows.staff.shown import facts, way_shown
from flows.step import Step
from flows.teller import Teller
from flows.text import Text
from services.money import Money
from services.news import (
    Doubt,
    Frozen,
    OrderInDoubt,
    OrderPaidTwice,
    PayoutsResumed,
    PayoutsStopped,
    PayoutUndecided,
    SettingsWrong,
    TenantChanged,
    Withdrawal,
)
from services.news.privacy import ErasureWanted
from services.news.webhooks import EndpointDropped, EndpointSet
from services.news.withdrawals import FloatShort


class Notice(Step):
    @property
    def thread(self) -> str:
        return "notice"


class ChangedTold(Notice):
    changed: tuple[str, ...]

    def says(self) -> Text:
        return Text(
            "⚠️ The operator has changed settings of {shop}: {changed}. "
            "If you did not expect that, call them.",
            changed=", ".join(self.changed),
        )


class OrderTwiceTold(Notice):
    number: str
    amount: Money
    receipt: str | None

    def says(self) -> Text:
        return Text(
            "⚠️ Order {number} was paid twice. The second {amount} is kept apart from the wallet. Type "
            "*refunds* to give it back to the customer. {receipt}",
            number=self.number,
            amount=self.amount,
            receipt=receipt_shown(self.receipt),
        )


class OrderDoubtTold(Notice):
    number: str
    amount: Money
    receipt: str | None
    because: Doubt
    told: Money | None
    provider: str = "mpesa"

    def says(self) -> Text:
        return Text(
            "⚠️ Order {number} for {amount} is in doubt. {doubt} Nothing was added to the wallet. Please look "
            "for it in the records of {provider}, say in *review* what became of it, and answer the "
            "customer. {receipt}",
            number=self.number,
            amount=self.amount,
            doubt=self._doubt(provider_name(self.provider)),
            provider=provider_name(self.provider),
            receipt=receipt_shown(self.receipt, self.provider),
        )

    def _doubt(self, provider: Text) -> Text:
        match self.because:
            case Doubt.OTHER_AMOUNT:
                return Text("{provider} told me of {told} instead.", provider=provider, told=self.told)
            case Doubt.CONTRADICTED:
                return Text("{provider} said that it is paid, and then that it is not.", provider=provider)
            case Doubt.UNCONFIRMED:
                return Text("{provider} said that it is paid, and has not confirmed it.", provider=provider)


class SettingsWrongTold(Notice):
    provider: str

    def says(self) -> Text:
        return Text(
            "⚠️ Customers cannot pay {shop} by {provider}: something is wrong with its account or settings "
            "there. Ask the operator to check them.",
            provider=provider_name(self.provider),
        )


class StoppedTold(Notice):
    """All payouts, or those of one way out."""

    because: Frozen
    provider: str = "mpesa"
    way: str | None = None

    def says(self) -> Text:
        if self.way is not None:
            return Text(
                "⚠️ Payouts from {shop} {way} are stopped: {because}\nAll others go on.",
                way=way_shown(self.way),
                because=self._because(),
            )
        return Text("⚠️ Payouts from {shop} are stopped: {because}", because=self._because())

    def _because(self) -> Text:
        provider = provider_name(self.provider)
        match self.because:
            case Frozen.SETTINGS:
                return Text(
                    "{provider} refuses the settings that they use. Ask the operator to correct them: what "
                    "is waiting is sent then.",
                    provider=provider,
                )
            case Frozen.FUNDS:
                return Text(
                    "the {provider} account that they are paid from is short of money. Add money to it, then "
                    "ask the operator to let them resume.",
                    provider=provider,
                )
            case Frozen.CONTRADICTION:
                return Text(
                    "{provider} said of one that it failed and that it was paid. Ask the operator to compare "
                    "them with {provider}'s own records before they resume.",
                    provider=provider,
                )
            case Frozen.OPERATOR:
                return Text("the operator has stopped them. Call them to let payouts go on.")
            case Frozen.BOOKS:
                return Text(
                    "something in the books does not add up. The operator has been alerted, and what is "
                    "waiting is sent once it is put right."
                )
            case Frozen.RESTORED:
                return Text(
                    "the records were restored from a backup, and what was paid out since it was made may be "
                    "missing. Whatever is approved now is not sent: say in *review* what the provider's own "
                    "records have of it. The operator lets payouts go on."
                )


class ResumedTold(Notice):
    way: str | None = None

    def says(self) -> Text:
        if self.way is not None:
            return Text(
                "✅ Payouts from {shop} {way} have resumed. What was waiting is being sent now.",
                way=way_shown(self.way),
            )
        return Text("✅ Payouts from {shop} have resumed. What was waiting is being sent now.")


class UndecidedTold(Notice):
    withdrawal: Withdrawal

    def says(self) -> Text:
        return Text(
            "⚠️ {provider} does not say whether this withdrawal was paid out. The amount stays held, and I "
            "keep asking. Please look for it in {provider}'s own records, then type *review*.\n{facts}",
            provider=carrier_name(self.withdrawal),
            facts=facts(self.withdrawal),
        )


async def told_changed(news: TenantChanged, _teller: Teller) -> ChangedTold:
    return ChangedTold(changed=news.changed)


async def told_order_twice(news: OrderPaidTwice, _teller: Teller) -> OrderTwiceTold:
    return OrderTwiceTold(number=news.number, amount=news.amount, receipt=news.receipt)


async def told_order_doubt(news: OrderInDoubt, _teller: Teller) -> OrderDoubtTold:
    return OrderDoubtTold(
        number=news.number,
        amount=news.amount,
        receipt=news.receipt,
        because=news.because,
        told=news.told,
        provider=news.provider,
    )


async def told_settings_wrong(news: SettingsWrong, _teller: Teller) -> SettingsWrongTold:
    return SettingsWrongTold(provider=news.provider)


async def told_stopped(news: PayoutsStopped, _teller: Teller) -> StoppedTold:
    return StoppedTold(because=news.because, provider=news.provider, way=news.rail)


async def told_resumed(news: PayoutsResumed, _teller: Teller) -> ResumedTold:
    return ResumedTold(way=news.rail)


async def told_undecided(news: PayoutUndecided, _teller: Teller) -> UndecidedTold:
    return UndecidedTold(withdrawal=news.withdrawal)


class ErasureWantedTold(Notice):
    customer: str

    def says(self) -> Text:
        return Text(
            "{customer} wants everything that {shop} holds of them erased. Hand over what they have paid "
            "for, and ask the operator to erase them.",
            customer=self.customer,
        )


async def told_erasure_wanted(news: ErasureWanted, _teller: Teller) -> ErasureWantedTold:
    return ErasureWantedTold(customer=news.customer)


class FloatShortTold(Notice):
    provider: str
    way: str
    funds: Money
    needed: Money

    def says(self) -> Text:
        return Text(
            "⚠️ The {provider} account that payouts from {shop} {way} are paid from holds {funds}, and one of "
            "{needed} waits. Add money to it: what is waiting is sent by itself then.",
            provider=provider_name(self.provider),
            way=way_shown(self.way),
            funds=self.funds,
            needed=self.needed,
        )


async def told_float_short(news: FloatShort, _teller: Teller) -> FloatShortTold:
    return FloatShortTold(provider=news.provider, way=news.rail, funds=news.funds, needed=news.needed)


class EndpointDroppedTold(Notice):
    host: str
    gone: bool

    def says(self) -> Text:
        if self.gone:
            return Text(
                "⚠️ {host} says that it wants no webhooks of {shop} any more, so none are sent to it. If that "
                "was not meant, have its system repaired and enable it again through the API.",
                host=self.host,
            )
        return Text(
            "⚠️ {host} has taken none of the webhooks of {shop} for three days, so none are sent to it any "
            "more. Once its system is repaired, enable it again through the API and replay what it missed.",
            host=self.host,
        )


async def told_endpoint_dropped(news: EndpointDropped, _teller: Teller) -> EndpointDroppedTold:
    return EndpointDroppedTold(host=news.host, gone=news.because == "gone")


class EndpointSetTold(Notice):
    host: str
    name: str

    def says(self) -> Text:
        return Text(
            "{name} has webhooks of {shop} sent to {host} from now on: it is told of payments, refunds and "
            "withdrawals. If you did not expect that, have it removed through the API.",
            name=self.name,
            host=self.host,
        )


async def told_endpoint_set(news: EndpointSet, _teller: Teller) -> EndpointSetTold:
    return EndpointSetTold(host=news.host, name=news.name)
