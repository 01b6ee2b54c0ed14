"""Low balance: the staff who want it hear that a withdrawal has taken the wallet below the tenant's limit.

Told where it falls through the limit, so that it is told again only after it has risen above. The wallet
is locked, so that of two withdrawals at once one is told.
"""

from services import inbox, ledger
from services.money import Money
from services.news.staff import BalanceLow
from services.people import people, telling
from services.work import Work


async def tell(work: Work, taken: Money) -> None:
    """After this amount was held."""
    limit = (await people.tenant_of(work)).low_balance
    if limit is None:
        return
    available = (await ledger.balance(work, taken.currency)).available
    if available.minor < limit <= available.minor + taken.minor:
        news = BalanceLow(available=available, limit=Money(limit, taken.currency))
        await inbox.tell_all(work, await telling.chats(work, "low_balance"), news)
