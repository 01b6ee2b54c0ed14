"""Notices: what owners are told, and need not answer."""

from flows.step import Step
from flows.teller import Teller
from flows.text import Text
from services.news import TenantChanged


class ChangedTold(Step):
    changed: tuple[str, ...]

    @property
    def thread(self) -> str:
        return "notice"

    def says(self) -> Text:
        return Text(
            "⚠️ The operator has changed settings of {shop}: {changed}. "
            "If you did not expect that, call them.",
            changed=", ".join(self.changed),
        )


async def told_changed(news: TenantChanged, _teller: Teller) -> ChangedTold:
    return ChangedTold(changed=news.changed)
