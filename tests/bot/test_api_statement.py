"""The statement by the API, over real HTTP on both databases: a list, and files that hold the same lines."""

import csv
import io
import re
import zipfile
from datetime import timedelta
from xml.etree import ElementTree as ET

import pytest

from bot.paper.statement.as_csv import safe
from services import ledger
from services.ids import new_id
from services.ledger import PAYMENT_FEES, WALLET, Transfer
from services.money import Money
from services.statement.facts import MOST_LINES
from services.store.scope import OWNER
from services.work import Work
from tests.bot.caller import caller
from tests.bot.door import now, opened

SALES = 30


def kes(minor):
    return Money(minor, "KES")


@pytest.fixture
async def door(database, vault):
    async with opened(database, vault) as door:
        yield door


@pytest.fixture
async def begun(door):
    """The clerk of a shop with thirty sales and their fees, a second apart from a time on."""
    shop = await door.open_shop()
    begin = now() - timedelta(hours=1)
    async with door.database.transaction(OWNER) as connection:
        for n in range(SALES):
            work = Work(connection, door.vault, shop, begin + timedelta(seconds=n))
            sale = Transfer("provider:mpesa", WALLET, kes(100_00 + n), "sale")
            await ledger.post(work, new_id(), [sale, Transfer(WALLET, PAYMENT_FEES, kes(2_50), "sale_fee")])
    return await caller(door, shop, "Achieng"), begin


def asked(begin, since=-1, until=60, **more):
    begins, ends = (
        (begin + timedelta(seconds=seconds)).isoformat().replace("+", "%2B") for seconds in (since, until)
    )
    return f"/wallet/statement?from={begins}&to={ends}" + "".join(f"&{k}={v}" for k, v in more.items())


async def test_it_is_a_list_by_pages_that_adds_up(begun):
    clerk, begin = begun
    found, path = [], asked(begin, 10, 20, limit=7)
    while path:
        answer = await clerk.get(path)
        assert answer.status == 200
        found += answer.body["results"]
        link = re.fullmatch(r'<(.*)>; rel="next"', answer.headers.get("Link", ""))
        path = link[1] if link else None
    body = answer.body
    assert body["count"] == len(found) == 20
    balance = round(float(body["opening_balance"]) * 100)
    assert balance == sum(100_00 + n - 2_50 for n in range(10))
    for entry in found:
        balance += round(float(entry["in"] or 0) * 100) - round(float(entry["out"] or 0) * 100)
        assert round(float(entry["balance"]) * 100) == balance
    assert body["closing_balance"] == found[-1]["balance"]
    assert [entry["kind"] for entry in found] == ["sale", "sale_fee"] * 10
    assert [(each["kind"], each["count"]) for each in body["totals"]] == [("sale", 10), ("sale_fee", 10)]


async def test_the_files_hold_the_same_lines(begun):
    clerk, begin = begun
    listed = (await clerk.get(asked(begin, limit=200))).body
    told = await clerk.get(asked(begin, format="csv"))
    assert told.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert re.fullmatch(r'attachment; filename="statement-shop-.*\.csv"', told.headers["Content-Disposition"])
    assert told.raw.startswith(b"\xef\xbb\xbftime,kind,")
    assert told.raw.count(b"\r\n") == told.raw.count(b"\n") == 2 * SALES + 3
    rows = list(csv.DictReader(io.StringIO(told.raw.decode("utf-8-sig"))))
    assert (rows[0]["kind"], rows[0]["balance"]) == ("opening_balance", listed["opening_balance"])
    assert (rows[-1]["kind"], rows[-1]["balance"]) == ("closing_balance", listed["closing_balance"])
    assert [(row["kind"], row["in"] or None, row["out"] or None, row["balance"]) for row in rows[1:-1]] == [
        (each["kind"], each["in"], each["out"], each["balance"]) for each in listed["results"]
    ]
    book = (await clerk.get(asked(begin, format="xlsx"))).raw
    sheet = ET.fromstring(zipfile.ZipFile(io.BytesIO(book)).read("xl/worksheets/sheet1.xml"))
    numbers = [float(each.text) for each in sheet.iter() if each.tag.endswith("}v") and each.text]
    for each in listed["results"]:
        assert float(each["balance"]) in numbers
    assert not [each for each in sheet.iter() if each.tag.endswith("}f")]
    page = await clerk.get(asked(begin, format="pdf"))
    assert page.raw.startswith(b"%PDF-")
    assert page.headers["Content-Type"] == "application/pdf"
    assert (await clerk.get(asked(begin, format="pdf"))).raw == page.raw
    assert page.raw.count(b"/Type /Page\n") > 1


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("?from=soon", 400, "invalid_period"),
        ("?from=2026-02-30", 400, "invalid_period"),
        ("?to=%00", 400, "invalid_period"),
        ("?form=pdf", 400, "unknown_field"),
        ("?format=doc", 400, "invalid_format"),
        ("?format=pdf&limit=5", 400, "invalid_query"),
        ("?limit=0", 400, "invalid_limit"),
        ("?cursor=1", 400, "invalid_cursor"),
        ("?cursor=999999999999999999.00000000-0000-7000-8000-000000000000", 400, "invalid_cursor"),
        ("?from=2026-02-02&to=2026-02-01", 422, "period_backwards"),
        ("?from=2090-01-01", 422, "period_in_future"),
        ("?from=2020-01-01", 422, "period_too_long"),
        ("?from=2020-01-01&to=2020-01-31", 422, "empty_period"),
        ("?from=2020-01-01&to=2020-01-31&format=pdf", 422, "empty_period"),
    ],
)
async def test_what_is_refused(begun, query, status, code):
    clerk, _ = begun
    answer = await clerk.get(f"/wallet/statement{query}")
    assert (answer.status, answer.code) == (status, code)
    if code == "empty_period":
        assert answer.body["balance"] == "0.00"


async def test_a_file_takes_so_many_lines(begun, monkeypatch):
    clerk, begin = begun
    monkeypatch.setitem(MOST_LINES, "pdf", 2 * SALES - 1)
    answer = await clerk.get(asked(begin, format="pdf"))
    assert (answer.status, answer.code) == (422, "statement_too_large")
    assert (answer.body["lines"], answer.body["most"]) == (2 * SALES, 2 * SALES - 1)
    assert (await clerk.get(asked(begin, format="csv"))).status == 200


@pytest.mark.parametrize("text", ["=1+1", "+254", "-5", "@SUM(A1)", "\tx", "\rx", "\uff1d1+1"])
def test_nothing_in_a_cell_is_a_formula(text):
    assert safe(text) == f"'{text}"


def test_other_text_stays_as_it_is():
    assert safe("K7Q2X0 = 5") == "K7Q2X0 = 5"
