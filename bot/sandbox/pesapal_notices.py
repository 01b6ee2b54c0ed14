"""Notices: the addresses that merchants have registered for notifications, and what is told there.

Source: https://developer.pesapal.com/how-to-integrate/e-commerce/api-30-json/registeripnurl. A notification
names the order and tells no outcome; it is told again until the answer says that it was taken, here for as
long as `World.retry_delays` lasts.
"""

import asyncio
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlencode, urlsplit

from bot.sandbox.pesapal_door import PesapalError
from bot.sandbox.stage import Stage
from bot.sandbox.world import Json, PesapalAccount

KINDS = ("GET", "POST")
_OK = 200


@dataclass(frozen=True, slots=True)
class Notice:
    """Where it goes, and of which order."""

    url: str
    kind: str
    tracking_id: str
    reference: str

    @property
    def told(self) -> dict[str, str]:
        return {
            "OrderTrackingId": self.tracking_id,
            "OrderMerchantReference": self.reference,
            "OrderNotificationType": "IPNCHANGE",
        }


@dataclass(frozen=True, slots=True)
class Ipn:
    id: str
    account: PesapalAccount
    url: str
    kind: str
    at: datetime


class Notices:
    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._ipns: dict[str, Ipn] = {}

    def register(self, account: PesapalAccount, body: Json) -> Json:
        """One more each time, of the same address too. Raises PesapalError."""
        url, kind = body.get("url"), body.get("ipn_notification_type")
        if not isinstance(url, str) or not urlsplit(url).hostname or kind not in KINDS:
            raise PesapalError("invalid_api_request_parameters", "", 500, "invalid_request_error")
        ipn = Ipn(self._stage.ids.uuid(), account, url, str(kind), self._stage.world.now())
        self._ipns[ipn.id] = ipn
        active = {"ipn_status": 1, "ipn_status_decription": "Active"}
        kinds = {"notification_type": KINDS.index(ipn.kind), "ipn_notification_type_description": ipn.kind}
        done = {"status": "200", "message": "Request processed successfully"}
        return _listed(ipn) | kinds | active | done

    def of(self, account: PesapalAccount) -> list[Json]:
        return [_listed(ipn) for ipn in self._ipns.values() if ipn.account is account]

    def known(self, account: PesapalAccount, id_: object) -> Ipn:
        """Raises PesapalError."""
        ipn = self._ipns.get(str(id_))
        if ipn is None or ipn.account is not account:
            raise PesapalError("InvalidIpnId", "Invalid IPN Id")
        return ipn

    def forget(self) -> None:
        """Somebody has deleted all of them there."""
        self._ipns.clear()

    async def post(self, notice: Notice) -> None:
        fault = self._stage.faults.take("pesapal.notice")
        name = fault.name if fault else ""
        if name == "lost":
            self._stage.log("pesapal", "notification lost", good=False)
            return
        if fault and name == "late":
            await asyncio.sleep(fault.seconds)
        if name == "forged":
            other = Notice(notice.url, notice.kind, self._stage.ids.uuid(), notice.reference)
            await self._try(other, "forged notification")
        if name == "other_way":
            other_kind = KINDS[1 - KINDS.index(notice.kind)]
            notice = Notice(notice.url, other_kind, notice.tracking_id, notice.reference)
        await self._insist(notice)
        if name == "twice":
            await self._try(notice, "notification, again")

    async def _insist(self, notice: Notice) -> None:
        for delay in (*self._stage.world.retry_delays, None):
            if await self._try(notice, "notification") or delay is None:
                return
            await asyncio.sleep(delay)

    async def _try(self, notice: Notice, what: str) -> bool:
        if notice.kind == "GET":
            join = "&" if urlsplit(notice.url).query else "?"
            status, answer = await self._stage.wire.get(f"{notice.url}{join}{urlencode(notice.told)}")
        else:
            status, answer = await self._stage.wire.ask(notice.url, json.dumps(notice.told).encode(), {})
        taken = status == _OK and _is_taken(answer, notice)
        self._stage.log("pesapal", f"{what}: {status or 'no answer'}", good=taken)
        return taken


def _is_taken(answer: bytes, notice: Notice) -> bool:
    """It names the same order, and says 200 in the body too."""
    try:
        told = json.loads(answer)
    except ValueError:
        return False
    wanted = {
        "orderNotificationType": "IPNCHANGE",
        "orderTrackingId": notice.tracking_id,
        "orderMerchantReference": notice.reference,
        "status": _OK,
    }
    return isinstance(told, dict) and wanted.items() <= told.items()


def _listed(ipn: Ipn) -> Json:
    at = f"{ipn.at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}0Z"
    return {"url": ipn.url, "created_date": at, "ipn_id": ipn.id, "error": None, "status": "200"}
