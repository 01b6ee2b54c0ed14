"""Lipachat's script: every word, every piece of news, and the steps that they open."""

from uuid import UUID

from flows import identity
from flows.conversation import Script
from flows.customer import (
    cart,
    checkout,
    doubt,
    erasure,
    language,
    menu,
    methods,
    my_orders,
    ordered,
    orders_told,
    page,
    paid,
    person,
    receipt,
    refund,
    reminded,
    requested,
    shop,
    unasked,
    waiting,
)
from flows.customer.receipt import ReceiptSent, ReceiptShown
from flows.customer.reminded import Reminded
from flows.customer.requested import RequestGone, RequestSettled, ReviewRequest
from flows.staff import (
    answering,
    approval_notices,
    approve,
    ask,
    asked,
    batch_decide,
    batches,
    breaks,
    change_decide,
    changes,
    conditions,
    counter,
    lend,
    notices,
    order,
    outcomes,
    refund_ask,
    refund_decide,
    refund_queue,
    review,
    schedule_decide,
    schedules,
    settle,
    statement,
    stopping,
    telling,
    wallet,
    withdraw,
)
from flows.staff.approve import Decide
from flows.staff.batch_decide import BatchShown
from flows.staff.change_decide import ChangeShown
from flows.staff.changes import SEE
from flows.staff.lend import LendingShown
from flows.staff.order import OrderFound
from flows.staff.refund_ask import WishShown
from flows.staff.refund_decide import DecideRefund, RefundRequestedShown
from flows.staff.refund_shown import RefundStands
from flows.staff.requested import Requested, told_asked_again
from flows.staff.schedule_decide import ScheduleShown
from flows.staff.settle import SettlementShown
from flows.staff.shown import Stands
from flows.teller import Teller
from flows.words import Word
from services import news
from services.news import approval as approval_news
from services.news import batches as batch_news
from services.news import conditions as condition_news
from services.news import handoff as handoff_news
from services.news import orders as order_news
from services.news import privacy as privacy_news
from services.news import reconciliation as reconciliation_news
from services.news import refunds as refund_news
from services.news import requests as request_news
from services.news import review as review_news
from services.news import schedules as schedule_news
from services.news import settings as settings_news
from services.news import staff as staff_news
from services.people.access import APPROVE, EDIT_ORDERS, INITIATE, RECONCILE, VIEW_FINANCE, VIEW_ORDERS


async def revive(  # noqa: C901, PLR0912  a case a kind of thread
    thread: str, teller: Teller
) -> (
    Decide
    | Requested
    | Stands
    | ReviewRequest
    | Reminded
    | RequestSettled
    | RequestGone
    | OrderFound
    | ReceiptShown
    | ReceiptSent
    | DecideRefund
    | RefundRequestedShown
    | RefundStands
    | WishShown
    | ChangeShown
    | BatchShown
    | ScheduleShown
    | LendingShown
    | SettlementShown
    | None
):
    """The thread of a withdrawal or of a request can be opened again; that of a payment has nothing left to
    decide, but its receipt."""
    kind, name = thread[:1], thread[1:]
    if kind == "q" and VIEW_ORDERS in teller.me.scopes:
        return await order.look(name, teller)
    try:
        about = UUID(name)
    except ValueError:
        return None
    match kind:
        case "w":
            return await approve.look(about, teller)
        case "b":
            return await refund_decide.look(about, teller) if RECONCILE in teller.me.scopes else None
        case "c" if SEE & teller.me.scopes:
            return await change_decide.look(about, teller)
        case "l" if SEE & teller.me.scopes:
            return await lend.look(about, teller)
        case "u" if RECONCILE in teller.me.scopes:
            return await settle.look(about, teller)
        case "s" if schedules.SEE & teller.me.scopes:
            return await schedule_decide.look(about, teller)
        case "t" if batches.SEE & teller.me.scopes:
            return await batch_decide.look(about, teller)
        case "k" if RECONCILE in teller.me.scopes:
            return await refund_ask.look_wish(about, teller)
        case "r":
            return await reminded.look(about, teller)
        case "p":
            return await receipt.look(about, teller)
        case "f":
            return await receipt.send(about, teller)
    return None


WORDS = (
    Word(("stop", "acha"), unasked.stop, exact=True, always=True),
    Word(("start", "anza"), unasked.start, exact=True, always=True),
    Word(("delete my data", "futa data"), erasure.erase_me, exact=True),
    Word(("menu", "menyu", "home"), menu.menu),
    Word(("hi", "hello", "habari", "mambo", "jambo", "niaje"), menu.menu),
    Word(("shop", "duka"), shop.shop),
    Word(("cart", "kikapu"), cart.cart),
    Word(("pay", "lipa"), checkout.pay, takes_rest=True, exact=True),
    Word(("orders", "oda"), my_orders.my_orders),
    Word(("methods", "njia"), methods.methods),
    Word(("receipt", "risiti"), receipt.receipt, takes_rest=True),
    Word(("language", "lugha"), language.choose_language, takes_rest=True),
    Word(("help", "msaada"), menu.help_),
    Word(("agent", "mhudumu"), person.person),
    Word(("cancel", "ghairi"), menu.cancel),
    Word(("balance", "salio"), wallet.balance, scopes=frozenset({VIEW_FINANCE})),
    Word(("withdraw", "toa"), withdraw.withdraw, takes_rest=True, exact=True, scopes=frozenset({INITIATE})),
    Word(("approvals", "idhini"), approve.approvals, exact=True, scopes=frozenset({APPROVE, INITIATE})),
    Word(
        ("approve", "idhinisha"),
        approve.approve,
        takes_reference=True,
        exact=True,
        scopes=frozenset({APPROVE, INITIATE}),
    ),
    Word(
        ("reject", "kataa"),
        approve.reject,
        takes_reference=True,
        exact=True,
        scopes=frozenset({APPROVE}),
    ),
    Word(("order", "agizo"), order.order, takes_rest=True, exact=True, scopes=frozenset({VIEW_ORDERS})),
    Word(("qr", "msimbo"), counter.counter, takes_rest=True, exact=True, scopes=frozenset({EDIT_ORDERS})),
    Word(("request", "omba"), ask.ask, exact=True, scopes=frozenset({EDIT_ORDERS})),
    Word(("settings", "mipangilio"), changes.settings, exact=True, scopes=SEE),
    Word(("lend", "azima"), lend.lendings, exact=True, scopes=frozenset({APPROVE})),
    Word(("freeze", "simamisha"), stopping.freeze, exact=True, scopes=frozenset({RECONCILE})),
    Word(("refunds", "marejesho"), refund_queue.refunds, exact=True, scopes=frozenset({RECONCILE})),
    Word(("reconcile", "linganisha"), breaks.reconcile, exact=True, scopes=frozenset({RECONCILE})),
    Word(("review", "kagua"), review.review, takes_rest=True, exact=True, scopes=frozenset({RECONCILE})),
    Word(("schedules", "ratiba"), schedules.schedules, exact=True, scopes=schedules.SEE),
    Word(("batches", "mafungu"), batches.batches, exact=True, scopes=batches.SEE),
    Word(("notices", "arifa"), telling.tell_me, scopes=frozenset({VIEW_ORDERS, VIEW_FINANCE})),
    Word(("history", "historia"), wallet.history, scopes=frozenset({VIEW_FINANCE})),
    Word(("statement", "taarifa"), statement.statement, takes_rest=True, scopes=frozenset({VIEW_FINANCE})),
)

SCRIPT = Script(
    home=menu.menu,
    lost=person.lost,
    words=WORDS,
    told={
        news.PaymentSettled: paid.told_settled,
        news.PaymentFailed: waiting.told_failed,
        news.PaymentOpen: waiting.told_open,
        news.PageOpened: page.told_page,
        request_news.PaymentRequested: requested.told_requested,
        request_news.PaymentReminder: reminded.told_reminder,
        request_news.RequestPaid: asked.told_paid,
        request_news.RequestDeclined: asked.told_declined,
        request_news.RequestClosed: requested.told_closed,
        request_news.RequestUnpaid: asked.told_unpaid,
        news.MethodAdded: methods.told_added,
        order_news.OrderFulfilled: orders_told.told_fulfilled,
        order_news.OrderCanceled: orders_told.told_canceled,
        news.PaidTwice: paid.told_twice,
        news.PaymentInDoubt: doubt.told_in_doubt,
        news.WithdrawalRequested: approve.told_requested,
        news.WithdrawalApproved: outcomes.told_approved,
        news.WithdrawalClosed: outcomes.told_closed,
        news.WithdrawalHeldBack: outcomes.told_held_back,
        news.WithdrawalPaid: outcomes.told_paid,
        news.WithdrawalPaidLate: outcomes.told_paid_late,
        news.SelfApprovalTried: outcomes.told_self_approval,
        news.OrderPaidTwice: notices.told_order_twice,
        news.OrderInDoubt: notices.told_order_doubt,
        news.SettingsWrong: notices.told_settings_wrong,
        news.PayoutsStopped: notices.told_stopped,
        news.FloatShort: notices.told_float_short,
        news.PayoutsResumed: notices.told_resumed,
        news.PayoutUndecided: notices.told_undecided,
        news.IdentityChanged: identity.told_changed,
        news.StaffSuspended: identity.told_suspended,
        news.IdentityVerified: identity.told_verified,
        approval_news.WithdrawalAskedAgain: told_asked_again,
        approval_news.CodesEnrolled: approval_notices.told_codes_enrolled,
        approval_news.CodesGuessed: approval_notices.told_codes_guessed,
        privacy_news.ErasureWanted: notices.told_erasure_wanted,
        approval_news.LendingAsked: lend.told_asked,
        approval_news.LendingMoved: lend.told_moved,
        approval_news.RightLent: approval_notices.told_right_lent,
        approval_news.RightUsed: approval_notices.told_right_used,
        news.TenantChanged: notices.told_changed,
        handoff_news.PersonWanted: answering.told_wanted,
        handoff_news.CustomerWrote: answering.told_wrote,
        handoff_news.CustomerGone: answering.told_gone,
        handoff_news.PersonWrote: person.told_wrote,
        handoff_news.PersonGone: person.told_gone,
        refund_news.RefundRequested: refund_decide.told_requested,
        refund_news.RefundTold: refund_decide.told,
        refund_news.RefundMade: refund.told_made,
        refund_news.RefundUndone: refund.told_undone,
        refund_news.PaymentKept: refund.told_kept,
        refund_news.RefundWanted: refund_ask.told_wanted,
        refund_news.RefundDeclined: refund.told_declined,
        refund_news.MoneyTakenBack: refund_queue.told_taken_back,
        refund_news.PaymentDisputed: refund_queue.told_disputed,
        reconciliation_news.BreaksAged: breaks.told_aged,
        reconciliation_news.BreakReopened: breaks.told_reopened,
        review_news.SettlementAsked: settle.told_asked,
        review_news.SettlementMoved: settle.told_moved,
        settings_news.ChangeAsked: changes.told_asked,
        settings_news.ChangeMoved: changes.told_moved,
        settings_news.StoppedByPerson: stopping.told_stopped,
        settings_news.KeyRotated: approval_notices.told_key_rotated,
        schedule_news.ScheduleAsked: schedules.told_asked,
        schedule_news.ScheduleMoved: schedules.told_moved,
        schedule_news.ScheduleRan: schedules.told_ran,
        schedule_news.ScheduleSelfApprovalTried: schedules.told_tried,
        batch_news.BatchRead: batches.told_read,
        batch_news.BatchAsked: batches.told_asked,
        batch_news.BatchMoved: batches.told_moved,
        batch_news.BatchSelfApprovalTried: batches.told_tried,
        staff_news.SaleMade: telling.told_sale,
        staff_news.DaySummed: telling.told_day,
        staff_news.BalanceLow: telling.told_low,
        condition_news.StillPending: conditions.told_pending,
        condition_news.ProviderDown: conditions.told_down,
        condition_news.KeyExpiring: conditions.told_expiring,
        news.EndpointDropped: notices.told_endpoint_dropped,
        news.EndpointSet: notices.told_endpoint_set,
    },
    revive=revive,
    ordered=ordered.ordered,
    filed=batches.filed,
    filers=frozenset({INITIATE}),
)
