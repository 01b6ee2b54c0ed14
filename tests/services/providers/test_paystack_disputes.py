"""What Paystack tells of payments that it gives back by itself."""

import pytest

from services.money import Money
from services.providers.base import Pending, Succeeded
from services.providers.paystack_disputes import taken_back

PAID = {"id": 5991, "reference": "019acf00-0000-7000-8000-000000000002", "amount": 50000, "currency": "KES"}
DISPUTE = {"id": 358950, "refund_amount": 20000, "currency": "KES", "status": "resolved", "transaction": PAID}
REFUND = {
    "status": "processed",
    "transaction_reference": PAID["reference"],
    "refund_reference": "TRF_1",
    "amount": "20000",
    "currency": "KES",
}


@pytest.mark.parametrize(
    ("event", "data", "about", "word"),
    [
        ("charge.dispute.create", DISPUTE, "disputed", Succeeded("dispute-358950", Money(200_00, "KES"))),
        (
            "charge.dispute.resolve",
            DISPUTE | {"resolution": "merchant-accepted"},
            "taken_back",
            Succeeded("dispute-358950", Money(200_00, "KES")),
        ),
        (
            "charge.dispute.resolve",
            DISPUTE | {"resolution": "declined"},
            "other",
            Pending("charge.dispute.resolve"),
        ),
        ("refund.processed", REFUND, "taken_back", Pending("refund.processed")),
        ("refund.failed", REFUND, "taken_back", Pending("refund.failed")),
        (
            "charge.dispute.create",
            {"transaction": PAID},
            "disputed",
            Pending("a dispute that says too little", unheard=True),
        ),
    ],
    ids=["opened", "lost", "won", "refunded", "failed", "too little"],
)
def test_an_event_about_a_payment(event, data, about, word):
    report = taken_back(event, data)
    assert report is not None
    assert (report.about, report.word) == (about, word)
    assert report.references == {PAID["reference"]}
    assert report.facts == ({} if about in ("disputed", "other") else {"ask": True})


def test_other_events_are_not_about_it():
    assert taken_back("charge.success", PAID) is None
    assert taken_back("refund.pending", REFUND) is None
