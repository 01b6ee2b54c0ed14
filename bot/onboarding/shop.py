"""Shop: the tenant, its staff, and where its withdrawals go."""

from collections.abc import Mapping

from bot.onboarding.asker import Asker, one_of
from bot.onboarding.files import Draft, Value
from services.languages import LANGUAGES
from services.money import PLACES
from services.people.access import ROLES
from services.people.file_lines import TenantFileError

_TO_PHONE = "payout.method_details.phone_number"
_HANDS = """
The staff. A withdrawal takes two people: one who asks (Cashier or more), and another who approves
(Finance Admin or Owner). They are known by their WhatsApp numbers, and nobody approves their own."""


def tenant(asker: Asker, draft: Draft) -> None:
    asker.say(f"\nThe merchant: {draft.path}")
    while True:
        part = {
            "slug": asker.ask("tenant.slug", "  A short name for commands and addresses, such as mama-njeri"),
            "name": asker.ask("tenant.name", "  The name that customers read"),
            "currency": asker.ask("tenant.currency", "  Currency", "KES", check=one_of(*PLACES)),
            "country": asker.ask("tenant.country", "  Country", "KE", check=str.upper),
            "timezone": asker.ask("tenant.timezone", "  Time zone", "Africa/Nairobi"),
            "language": asker.ask("tenant.language", "  Language", "en", check=one_of(*LANGUAGES)),
        }
        if _added(asker, draft, "[tenant]", part, "tenant"):
            return


def staff(asker: Asker, draft: Draft) -> None:
    assert draft.file is not None  # noqa: S101  the tenant is there
    asker.say(_HANDS)
    for person in draft.file.staff:
        asker.say(f"  There is already: {person.name}.")
    n = len(draft.file.staff)
    while asker.wants(f"staff.{n}", f"  Add {'another' if n else 'somebody'}?", default=n < 2):  # noqa: PLR2004  hands
        part = {
            "name": asker.ask(f"staff.{n}.name", "  Name"),
            "phone": asker.ask(f"staff.{n}.phone", "  Phone, such as +254722000001"),
            "role": asker.ask(
                f"staff.{n}.role",
                f"  Role ({', '.join(ROLES)})",
                "Owner" if n else "Cashier",
                check=one_of(*ROLES),
            ),
        }
        n += _added(asker, draft, "[[staff]]", part, f"staff.{n}")


def payout(asker: Asker, draft: Draft) -> None:
    while True:
        phone = asker.ask(
            _TO_PHONE,
            "\nThe M-Pesa number that withdrawals go to (empty: asked each time)",
            "",
        )
        part: dict[str, Value] = {"method_type": "mpesa", "method_details": {"phone_number": phone}}
        if not phone or _added(asker, draft, "[payout]", part, _TO_PHONE):
            return


def _added(asker: Asker, draft: Draft, header: str, part: Mapping[str, Value], key: str) -> bool:
    try:
        draft.add(header, part)
    except TenantFileError as error:
        for wrong in error.wrong:
            asker.refused(key, f"{wrong.where.rpartition('.')[2]}: {wrong.what}")
        return False
    return True
