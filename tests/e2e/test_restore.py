"""A backup, more traffic, a disk that is lost, and the backup restored: by the commands of docs/operating.md.
The provider's own books are the judge: nothing is paid twice, and in the end ours say the same."""

import asyncio
import csv
import io
import os
import re

import pytest
from sqlalchemy.engine import make_url

from tests.deploy.dockerfile import ROOT
from tests.e2e.conftest import started
from tests.e2e.programs import programs_of
from tests.servers import programs_of_postgres

TO = {"method_type": "mpesa", "method_details": {"phone_number": "0712345678"}}


def told(command):
    """The block of the document that begins so."""
    text = (ROOT / "docs" / "operating.md").read_text().partition("## Backing up")[2]
    (found,) = re.findall(rf"```sh\n(.*?{command}.*?)```", text.replace("```sh\n```", ""), re.DOTALL)
    return found.rpartition("```sh\n")[2]


class Kept:
    """The database's backup, made and restored."""

    def __init__(self, place):
        self.place, self.folder = place, place.installation.folder
        self.url = make_url(place.database_url)

    async def make(self):
        if self.url.drivername.startswith("sqlite"):
            await self._run(told("backup\\(").replace(".data/", ""))
        else:
            await self._run(line(told("pg_dumpall"), "pg_dump --format"))

    async def restore(self):
        if self.url.drivername.startswith("sqlite"):
            for suffix in ("-wal", "-shm"):
                (self.folder / f"lipachat.db{suffix}").unlink(missing_ok=True)
            (self.folder / "backup.db").replace(self.folder / "lipachat.db")
        else:
            await self._run("dropdb --force lipachat")
            await self._run(
                line(told("createdb"), "createdb").replace("lipachat_owner", str(self.url.username))
            )
            await self._run(line(told("createdb"), "pg_restore"))

    async def _run(self, command):
        where = {"PATH": programs_of_postgres(os.environ["PATH"])}
        if self.url.host:
            command = re.sub(r"\blipachat(?!\.dump)\b", str(self.url.database), command)
            where |= {"PGHOST": self.url.host, "PGPORT": str(self.url.port or 5432)}
            where |= {"PGUSER": str(self.url.username)}
        process = await asyncio.create_subprocess_exec(
            "sh", "-c", command, cwd=self.folder, env=os.environ | where
        )
        assert await process.wait() == 0, command


def line(block, begins):
    (found,) = (each for each in block.splitlines() if each.startswith(begins))
    return found


async def paid_out(town):
    """By M-Pesa's own books: what left, by its receipt."""
    async with town.http.get(f"{town.url}/control/statement?to=2099-01-01T00:00:00Z") as answer:
        rows = csv.reader(io.StringIO(await answer.text()))
        outs = [row for row in rows if len(row) > 3 and "Business Payment" in ",".join(row)]
        return {row[0]: row for row in outs if not row[3].endswith("Charge")}


async def undecided(program, town, how_many):
    async def look():
        _, body = await program("GET", "/payouts/undecided")
        return body["results"] if body["count"] == how_many else None

    return await town.until(look, f"{how_many} undecided")


async def said_to_be_paid(one, other, undecided, books):
    """By two people, with the receipt of the provider's own books."""
    (receipt,) = (
        receipt
        for receipt, row in books.items()
        if undecided["amount"] in [field.strip("-").replace(",", "") for field in row]
    )
    said = {"outcome": "paid", "reference": receipt, "note": "M-Pesa's statement"}
    status, settlement = await one("POST", f"/payouts/undecided/{undecided['id']}/settlements", said)
    assert status == 201, settlement
    status, settled = await other("POST", f"/settlements/{settlement['id']}/approve", {})
    assert (status, settled["status"]) == (200, "done")


class Scene:
    """The shop, with 5,000 in its wallet."""

    def __init__(self, ground, http):
        self.ground, self.http, self.town = ground, http, ground.town
        self.installation = ground.installation

    async def begin(self):
        self.installation.environment["LIPACHAT_AUDIT__ANCHOR"] = str(self.installation.folder / "anchors")
        programs = await programs_of(self.installation, self.http, self.ground.url)
        self.owner, self.cashier, self.approver = programs
        await started(self.ground, self.http)
        wanjiku = self.town.person("wanjiku")
        await wanjiku.says("pay 5000")
        await wanjiku.hears("Pay *KES 5,000.00*")
        await wanjiku.taps("Pay")
        await self.town.answer_prompt("pay")
        await wanjiku.hears("Paid: KES 5,000.00")

    async def run(self, *arguments, code=0):
        return await asyncio.to_thread(self.installation.run, *arguments, code=code)

    async def asked_for(self, amount):
        status, made = await self.cashier("POST", "/wallet/withdrawals", TO | {"amount": amount})
        assert status == 201, made
        return f"/wallet/withdrawals/{made['transaction_id']}"

    async def approved(self, at):
        status, said = await self.approver("POST", f"{at}/approve", {})
        assert status == 200, said

    async def sent(self, at):
        await self.approved(at)
        await self.cashier.until(self.town, at, "completed")

    async def status(self, at):
        return (await self.owner("GET", at))[1]["status"]

    async def end(self):
        await self.run("audit", "anchor")
        await asyncio.to_thread(self.installation.stop)
        self.installation.processes.clear()


@pytest.mark.timeout(400)  # a score of commands, one after the other
async def test_a_restored_database_sends_nothing_twice_and_comes_to_be_right(ground, http):
    scene, kept = Scene(ground, http), Kept(ground)
    await scene.begin()
    waiting = await scene.asked_for("1000")
    await kept.make()
    await scene.sent(waiting)
    lost = await scene.asked_for("500")
    await scene.sent(lost)
    books = await paid_out(scene.town)
    assert len(books) == 2
    await scene.end()
    await kept.restore()

    command = ("work",) if kept.url.host else ("serve", "--port", ground.port)
    assert "was restored to an older state" in await scene.run(*command, code=1)
    await scene.run("ledger", "check")
    assert '"finding": "cut"' in await scene.run("audit", "verify", code=1)
    assert '"payouts": 0' in await scene.run("db", "restored")
    await started(ground, http)

    # What waits in the backup, and what is not in it, is approved again, and is not sent again.
    assert await scene.status(waiting) == "pending"
    assert (await scene.owner("GET", lost))[0] == 404
    again = await scene.asked_for("500")
    for at in (waiting, again):
        await scene.approved(at)
    laid = await undecided(scene.owner, scene.town, 2)
    assert "2 payouts" in await scene.run("tenant", "unfreeze", "mama-njeri", code=1)
    assert await paid_out(scene.town) == books
    for each in laid:
        await said_to_be_paid(scene.owner, scene.approver, each, books)
    assert [await scene.status(at) for at in (waiting, again)] == ["completed", "completed"]

    # And payouts go on.
    await scene.run("tenant", "unfreeze", "mama-njeri")
    await scene.sent(await scene.asked_for("200"))
    assert len(await paid_out(scene.town)) == 3
    _, wallet = await scene.owner("GET", "/wallet")
    assert (wallet["posted"], wallet["held"], wallet["resting"]) == ("3300.00", "0.00", [])
    await scene.run("ledger", "check")
