"""Menu: where a person stands who is nowhere else.

Menu -> Products | InCart | MyOrders | NoOrders
Menu -> ReviewOrder | AskNumber | EnterAmount | ChooseLanguage | Help
Menu -> Wallet | EnterWithdrawal | Approvals | NoApprovals | History
"""

from __future__ import annotations

from dataclasses import dataclass

from flows.customer.cart import InCart, cart, still_there
from flows.customer.checkout import pay
from flows.customer.language import ChooseLanguage
from flows.customer.my_orders import MyOrders, NoOrders, my_orders
from flows.customer.pay import AskNumber, EnterAmount, ReviewOrder
from flows.customer.shop import Products, shop
from flows.staff.approve import Approvals, NoApprovals, approvals
from flows.staff.wallet import History, Wallet, balance, history
from flows.staff.withdraw import EnterWithdrawal, ask_amount
from flows.step import Choice, Step
from flows.teller import Teller
from flows.text import Text
from services.people.access import APPROVE, INITIATE, VIEW_FINANCE


class SeeShop(Choice):
    label = Text("Shop")


@dataclass(frozen=True)
class SeeCart(Choice):
    count: int
    label = Text("Cart")

    @property
    def note(self) -> Text | None:
        return Text("One item", plural="{count} items", count=self.count) if self.count else None


class SeeOrders(Choice):
    label = Text("Orders")


class PayNow(Choice):
    exact = True
    label = Text("Pay")


class Language(Choice):
    label = Text("Language")


class GetHelp(Choice):
    label = Text("Help")


class SeeBalance(Choice):
    label = Text("Balance")


class StartWithdrawal(Choice):
    exact = True
    label = Text("Withdraw")


class SeeApprovals(Choice):
    exact = True
    label = Text("Approvals")


class SeeHistory(Choice):
    label = Text("History")


class Menu(Step):
    """`scopes`: what this person may do, as far as it is on the menu. `in_cart`: how many pieces they
    have chosen and not paid."""

    name: str | None = None
    scopes: tuple[str, ...] = ()
    sells: bool = False
    in_cart: int = 0

    def says(self) -> Text:
        if self.in_cart:
            return Text("{hello}\n{cart}", hello=self._hello(), cart=still_there(self.in_cart))
        return self._hello()

    def _hello(self) -> Text:
        if self.name:
            return Text("Hello {name}, this is {shop}. What would you like to do?", name=self.name)
        return Text("Hello, this is {shop}. What would you like to do?")

    def choices(self) -> tuple[Choice, ...]:
        staff: list[Choice] = []
        if VIEW_FINANCE in self.scopes:
            staff.append(SeeBalance())
        if INITIATE in self.scopes:
            staff.append(StartWithdrawal())
        if APPROVE in self.scopes or INITIATE in self.scopes:
            staff.append(SeeApprovals())
        if VIEW_FINANCE in self.scopes:
            staff.append(SeeHistory())
        shopping: tuple[Choice, ...] = ()
        if self.sells:
            shopping = SeeShop(), SeeCart(self.in_cart), SeeOrders()
        return (*staff, *shopping, PayNow(), Language(), GetHelp())

    def menu(self) -> Text | None:
        return Text("Menu")

    async def hears(  # noqa: C901  a case a row
        self,
        answer: SeeShop
        | SeeCart
        | SeeOrders
        | PayNow
        | Language
        | GetHelp
        | SeeBalance
        | StartWithdrawal
        | SeeApprovals
        | SeeHistory,
        teller: Teller,
    ) -> (
        Products
        | InCart
        | MyOrders
        | NoOrders
        | ReviewOrder
        | AskNumber
        | EnterAmount
        | ChooseLanguage
        | Help
        | Wallet
        | EnterWithdrawal
        | Approvals
        | NoApprovals
        | History
    ):
        match answer:
            case SeeShop():
                return await shop(teller)
            case SeeCart():
                return await cart(teller)
            case SeeOrders():
                return await my_orders(teller)
            case PayNow():
                return await pay(teller)
            case Language():
                return ChooseLanguage()
            case GetHelp():
                return await help_(teller)
            case SeeBalance():
                return await balance(teller)
            case StartWithdrawal():
                return await ask_amount(teller)
            case SeeApprovals():
                return await approvals(teller)
            case SeeHistory():
                return await history(teller)


class Help(Step):
    staff: bool = False
    sells: bool = False

    def says(self) -> Text:
        customers = self._customers()
        if not self.staff:
            return customers
        return Text(
            "{customers}\n\nFor staff:\n*balance* to see the wallet\n"
            "*withdraw* or *withdraw 1000* to take money out\n"
            "*approvals* to see what is waiting for approval\n*history* to see past withdrawals\n"
            "*request* to ask a customer to pay\n*order K7Q2X0* to look up an order\n"
            "*refunds* to see what is waiting about refunds\n"
            "*reconcile* to see where our books and the provider differ\n"
            "*review* to say what became of payouts that nobody knows of\n"
            "*statement* for a statement of account\n"
            "*settings* to see and change limits, staff and destinations\n"
            "*batches* and *schedules* for many or regular withdrawals\n"
            "*lend* to lend your approvals while you are away\n"
            "*freeze* to stop all payouts at once\n"
            "*qr* or *qr 500* for a code that customers scan to pay\n*notices* to choose what I tell you",
            customers=customers,
        )

    def _customers(self) -> Text:
        always = Text(
            "You can type at any time:\n*pay* or *pay 500* to pay {shop}\n*menu* to see what I can do\n"
            "*methods* to see or remove what you pay with\n*receipt* to get a receipt again\n"
            "*agent* to talk to a person of {shop}\n*language* to change the language\n"
            "*cancel* to stop what you are doing\n"
            "*stop* to get no more reminders, *start* to get them again\n*help* to see this again"
        )
        if not self.sells:
            return always
        return Text(
            "{always}\n*shop* to see what {shop} sells\n*cart* to see, change and pay what you chose\n"
            "*orders* to see what you ordered",
            always=always,
        )


class NothingToCancel(Step):
    """Said where no question is open: whatever asks for something has a *Cancel* of its own."""

    may_withdraw: bool = False

    def says(self) -> Text:
        if self.may_withdraw:
            return Text(
                "There is nothing to cancel here. To take back a withdrawal, type *approvals* and choose it."
            )
        return Text("There is nothing to cancel here. Type *menu* to go on.")


async def menu(teller: Teller, _rest: str = "") -> Menu:
    sells = teller.shop.sells
    return Menu(
        name=teller.me.name,
        scopes=tuple(sorted(teller.me.scopes)),
        sells=sells,
        in_cart=await teller.cart_count() if sells else 0,
    )


async def help_(teller: Teller, _rest: str = "") -> Help:
    return Help(staff=teller.me.is_staff, sells=teller.shop.sells)


async def cancel(teller: Teller, _rest: str = "") -> NothingToCancel:
    return NothingToCancel(may_withdraw=INITIATE in teller.me.scopes)
