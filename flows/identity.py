"""Identity: what is told when WhatsApp says that somebody else may be behind a chat."""

from flows.step import Step
from flows.teller import Teller
from flows.text import Text
from services.news import IdentityChanged, IdentityVerified, StaffSuspended


class _Told(Step):
    @property
    def thread(self) -> str:
        return "notice"


class IdentityChangedTold(_Told):
    methods: bool
    rights: bool

    def says(self) -> Text:
        if not self.rights:
            return Text(
                "Your WhatsApp number or phone has changed. To keep your money safe, your saved ways to pay "
                "{shop} were removed. You can save them again after your next payment."
            )
        if not self.methods:
            return Text(
                "Your WhatsApp number or phone has changed. Until the operator has verified that it is you, "
                "you cannot act for {shop} here. Please call them."
            )
        return Text(
            "Your WhatsApp number or phone has changed. Your saved ways to pay {shop} were removed, and "
            "until the operator has verified that it is you, you cannot act for {shop} here. "
            "Please call them."
        )


class StaffSuspendedTold(_Told):
    name: str

    def says(self) -> Text:
        return Text(
            "⚠️ The WhatsApp number or phone of {name} has changed. Their rights at {shop} rest until the "
            "operator has verified who it is. If {name} did not change it, call the operator now.",
            name=self.name,
        )


class IdentityVerifiedTold(_Told):
    def says(self) -> Text:
        return Text(
            "Thank you, you are verified. You can act for {shop} here again; approving withdrawals waits "
            "another 24 hours."
        )


async def told_changed(news: IdentityChanged, _teller: Teller) -> IdentityChangedTold:
    return IdentityChangedTold(methods=news.methods, rights=news.rights)


async def told_suspended(news: StaffSuspended, _teller: Teller) -> StaffSuspendedTold:
    return StaffSuspendedTold(name=news.name)


async def told_verified(_news: IdentityVerified, _teller: Teller) -> IdentityVerifiedTold:
    return IdentityVerifiedTold()
