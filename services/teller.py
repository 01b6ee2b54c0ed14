"""Teller: all that a conversation may do with the business, for one person in one turn.

It has the shape of the protocol that the flows own, and no knowledge of them.
"""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from services import audit, handoff
from services.domains import Domains
from services.errors import MissingScope, NotFound, ProviderNotConfigured
from services.facts import (
    Asked,
    Balance,
    Checkout,
    Customer,
    Destination,
    Handoff,
    Notices,
    OrderSeen,
    PaidOrder,
    Quote,
    Receipt,
    Standing,
    Started,
    Way,
)
from services.money import Money
from services.news import PageOpened, PaymentMethod, Withdrawal
from services.payments import (
    closing,
    lookup,
    methods,
    pages,
    ranks,
    receipts,
    reminders,
    requests,
    start,
    waiting,
)
from services.people import changes, people, preferences, telling
from services.people.access import APPROVE, EDIT_ORDERS, INITIATE, VIEW_FINANCE, VIEW_ORDERS
from services.privacy.wish import wish_erasure
from services.rails import refuse_closed_way_out, refuse_unpayable
from services.shop import carts, catalogue, checkout, fulfilment, orders
from services.shop.facts import Cart, Order, OrderRow, Product, Wanted
from services.statement.facts import Statement
from services.statement.period import days
from services.statement.read import statement
from services.store.schema import withdrawals
from services.withdrawals import decide, destinations, record, request, ways

_LATEST = 20


class Teller(Domains):
    # --- the customer shops

    async def products(self) -> tuple[Product, ...]:
        return tuple(await catalogue.listed(self._work))

    async def product(self, sku: str) -> Product:
        return await catalogue.find(self._work, sku)

    async def cart_count(self) -> int:
        return await carts.count(self._work, self._me.person_id)

    async def cart(self) -> Cart:
        return await carts.read(self._work, self._me.person_id)

    async def add(self, wanted: Sequence[Wanted], note: str | None = None) -> Cart:
        return await carts.add(self._work, self._me.person_id, wanted, note)

    async def change_quantity(self, sku: str, quantity: int) -> Cart:
        return await carts.change(self._work, self._me.person_id, sku, quantity)

    async def hand_over(self, note: str | None, *, delivery: bool) -> Cart:
        return await carts.hand_over(self._work, self._me.person_id, note, delivery=delivery)

    async def empty_cart(self) -> None:
        await carts.empty(self._work, self._me.person_id)

    async def check_out(self) -> Checkout:
        return await checkout.check_out(self._work, self._me.person_id, self._conversation_id)

    async def my_orders(self) -> tuple[OrderRow, ...]:
        return await orders.latest(self._work, self._me.person_id)

    async def my_order(self, order_id: UUID) -> Order:
        return await orders.read_own(self._work, self._me.person_id, order_id)

    async def checkout_of(self, order_id: UUID) -> Checkout:
        await self.my_order(order_id)
        return await start.checkout(self._work, order_id)

    # --- the customer pays

    async def open_order(self) -> Checkout | None:
        await waiting.close_left(self._work, self._me.person_id)
        return await start.open_order(self._work, self._me.person_id)

    async def ways(self) -> tuple[Way, ...]:
        saved = await methods.ways(self._work, self._me.person_id)
        return tuple(way for way in saved if way.method.provider in self._shop.collects_by)

    async def ranked(self, amount: Money) -> tuple[str, ...]:
        by = self._shop.collects_by
        if not self._shop.smart_order:
            return by
        return tuple(each.provider for each in await ranks.ranked(self._work, by, amount, self._me.person_id))

    async def pay(self, checkout: Checkout, way: Way) -> Started:
        if way.method.provider not in self._shop.collects_by:
            raise ProviderNotConfigured(way.method.provider)
        payer = start.Payer(self._me.person_id, self._conversation_id)
        return await start.start(self._work, payer, checkout, way)

    async def open_page(self, order_id: UUID) -> PageOpened | None:
        return await pages.shown(self._work, self._me.person_id, order_id)

    async def check_payment(self, payment_id: UUID) -> None:
        await waiting.check(self._work, self._me.person_id, payment_id)

    async def leave_payment(self, payment_id: UUID) -> None:
        await waiting.leave(self._work, self._me.person_id, payment_id)

    async def drop_order(self, order_id: UUID) -> None:
        await waiting.drop_order(self._work, self._me.person_id, order_id)

    async def decline_request(self, order_id: UUID) -> None:
        await closing.decline(self._work, self._me.person_id, order_id)

    async def standing(self, order_id: UUID) -> Standing:
        return await lookup.standing(self._work, self._me.person_id, order_id)

    async def remind_no_more(self, order_id: UUID) -> None:
        await reminders.no_more(self._work, self._me.person_id, order_id)

    async def save_method(self, payment_id: UUID) -> PaymentMethod:
        return await waiting.save_method(self._work, self._me.person_id, payment_id)

    async def methods(self) -> tuple[Way, ...]:
        return await methods.ways(self._work, self._me.person_id)

    async def offer_first(self, method_id: UUID) -> tuple[Way, ...]:
        await methods.make_default(self._work, self._me.person_id, method_id, self._me.person_id)
        return await self.methods()

    async def remove_method(self, method_id: UUID) -> tuple[Way, ...]:
        await methods.remove(self._work, self._me.person_id, method_id, self._me.person_id)
        return await self.methods()

    async def paid_orders(self) -> tuple[PaidOrder, ...]:
        return await receipts.paid(self._work, self._me.person_id)

    async def receipt(self, number: str) -> Receipt:
        return await receipts.receipt(self._work, self._me.person_id, number)

    async def receipt_of(self, payment_id: UUID) -> Receipt:
        return await receipts.of_payment(self._work, self._me.person_id, payment_id)

    async def use_language(self, language: str) -> None:
        await people.use_language(self._work, self._me.person_id, language)
        self._me = self._me.model_copy(update={"language": language})

    async def stop_unasked(self) -> None:
        await preferences.stop(self._work, self._me.person_id, preferences.CHAT)

    async def start_unasked(self) -> bool:
        return await preferences.start(self._work, self._me.person_id, preferences.CHAT)

    async def wish_erasure(self) -> None:
        await wish_erasure(self._work, self._me.person_id)

    async def wishes(self, *, unasked: bool) -> None:
        wish = preferences.start if unasked else preferences.stop
        await wish(self._work, self._me.person_id, audit.WHATSAPP)

    async def identity_changed(self, phone: str | None, user_id: str | None) -> None:
        await changes.changed(self._work, self._conversation_id, phone, user_id)

    async def ask_person(self, words: tuple[str, ...]) -> UUID:
        return await handoff.ask(self._work, self._me.person_id, self._conversation_id, words)

    async def tell_person(self, handoff_id: UUID, words: str) -> bool:
        return await handoff.pass_on(self._work, self._me.person_id, handoff_id, words)

    async def leave_person(self, handoff_id: UUID) -> None:
        await handoff.leave(self._work, self._me.person_id, handoff_id)

    # --- staff

    async def take_customer(self, handoff_id: UUID) -> Handoff:
        return await handoff.take(self._work, self._me.person_id, self._conversation_id, handoff_id)

    async def answer_customer(self, handoff_id: UUID, words: str) -> None:
        await handoff.answer(self._work, self._me.person_id, handoff_id, words)

    async def close_customer(self, handoff_id: UUID) -> None:
        await handoff.close(self._work, self._me.person_id, handoff_id)

    async def find_order(self, number: str) -> OrderSeen:
        self._need(VIEW_ORDERS)
        return await lookup.order(self._work, number)

    async def fulfil_order(self, number: str) -> bool:
        return await fulfilment.fulfil(self._work, self._me.person_id, number)

    async def cancel_order(self, number: str, reason: str) -> bool:
        return await fulfilment.cancel(self._work, self._me.person_id, number, reason)

    async def recent_customers(self) -> tuple[Customer, ...]:
        self._need(EDIT_ORDERS)
        return await requests.recent(self._work)

    async def request_payment(self, customer: Customer, checkout: Checkout) -> Asked:
        refuse_unpayable(self._shop, checkout.amount)
        return await requests.request(self._work, self._me.person_id, customer, checkout)

    async def take_back_request(self, number: str) -> None:
        await closing.take_back(self._work, self._me.person_id, number)

    async def notices(self) -> Notices:
        return await telling.of(self._work, self._me.person_id)

    async def switch_notice(self, notice: str, *, on: bool) -> Notices:
        return await telling.switch(self._work, self._me.person_id, notice, on=on)

    async def balance(self) -> Balance:
        self._need(VIEW_FINANCE)
        return await ways.balance(self._work, self._shop.currency)

    async def statement(self, first: date, last: date) -> Statement:
        self._need(VIEW_FINANCE)
        period = days(first, last, self._shop.timezone, self._work.now)
        return await statement(self._work, period, self._shop.currency)

    async def destinations(self) -> tuple[Destination, ...]:
        self._need(INITIATE)
        known = await destinations.known(self._work)
        return tuple(each for each in known if each.method_type in self._shop.pays_out_by)

    async def destination(self, method_type: str, details: dict[str, str]) -> Destination:
        self._need(INITIATE)
        return destinations.entered(method_type, details)

    async def quote(self, amount: Money, method_type: str) -> Quote:
        self._need(INITIATE)
        refuse_closed_way_out(self._shop, method_type)
        return await request.quote(self._work, amount, method_type)

    async def withdraw(self, id: UUID, quote: Quote, destination: Destination) -> Withdrawal:  # noqa: A002  the protocol's name
        refuse_closed_way_out(self._shop, destination.method_type)
        return await request.request(self._work, self._me.person_id, id, quote, destination)

    async def approve(self, withdrawal_id: UUID, digest: str, code: str | None = None) -> Withdrawal:
        return await decide.approve(self._work, self._me.person_id, withdrawal_id, digest, code)

    async def reject(self, withdrawal_id: UUID, reason: str) -> Withdrawal:
        return await decide.reject(self._work, self._me.person_id, withdrawal_id, reason)

    async def cancel_withdrawal(self, withdrawal_id: UUID) -> Withdrawal:
        return await decide.cancel(self._work, self._me.person_id, withdrawal_id)

    async def withdrawal(self, withdrawal_id: UUID) -> Withdrawal:
        if not self._me.scopes & {VIEW_FINANCE, INITIATE, APPROVE}:
            raise NotFound("withdrawal")
        named = APPROVE in self._me.scopes
        return await record.shown(self._work, withdrawal_id, named=named)

    async def awaiting_approval(self) -> tuple[Withdrawal, ...]:
        if INITIATE not in self._me.scopes:
            self._need(APPROVE)
        named = APPROVE in self._me.scopes
        return tuple(await record.read(self._work, withdrawals.c.status == "pending", named=named))

    async def withdrawals(self) -> tuple[Withdrawal, ...]:
        self._need(VIEW_FINANCE)
        return tuple(await record.read(self._work, latest=_LATEST))

    def _need(self, scope: str) -> None:
        """Enough for what is only read. What moves money is checked again where it is done, against
        the database."""
        if scope not in self._me.scopes:
            raise MissingScope(scope)
