"""Breaks: as the books and a provider would leave one."""

from services.ids import new_id
from services.money import Money
from services.providers.listing import Kind
from services.reconciliation.facts import State, Type
from services.reconciliation.seen import Seen


def a_break(type_, shillings, label, receipt, at):
    """`-` for a label or receipt that there is none of."""
    kind, amount = Type(type_), Money.parse(shillings, "KES")
    ours = kind in (Type.MISSING_AT_PROVIDER, Type.AMOUNT_DIFFERS, Type.CURRENCY_DIFFERS, Type.FEE_DIFFERS)
    return Seen(
        id=new_id(),
        provider="mpesa",
        type=kind,
        kind=Kind.PAID,
        at=at,
        ours=amount if ours else None,
        theirs=None if kind == Type.MISSING_AT_PROVIDER else amount,
        receipt=None if receipt == "-" else receipt,
        label="" if label == "-" else label,
        party="********5678" if label == "-" else None,
        state=State.OPEN,
        found_at=at,
    )
