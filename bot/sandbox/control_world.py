"""Control of the world: the clock moved on, and people who come along."""

from datetime import timedelta

from aiohttp import web

from bot.sandbox.bodies import body_of, count, error, text
from bot.sandbox.stage import Stage
from bot.sandbox.world import CannotError, Json, Phone

MOST_HOURS = 24 * 366
MOST_GUESTS = 12
_LONGEST_NAME = 30


class WorldControl:
    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/control/clock", self.clock), web.post("/control/phones", self.phones)]

    async def clock(self, request: web.Request) -> web.Response:
        """{"hours"}: all clocks go forward, the app's and the emulators'."""
        hours = count(await body_of(request), "hours", 1, MOST_HOURS)
        if self._stage.world.forward is None:
            raise error(web.HTTPConflict, "this sandbox has the machine's own clock")
        self._stage.world.forward(timedelta(hours=hours))
        self._stage.log("clock", f"moved on by {hours} h")
        told = {"now": self._stage.now_ms}
        self._stage.feed.tell("clock", told)
        return web.json_response(told)

    async def phones(self, request: web.Request) -> web.Response:
        """{"name", "number"?: hidden by a username where there is none}"""
        body, world = await body_of(request), self._stage.world
        name = " ".join(text(body, "name").split())
        if not 1 <= len(name) <= _LONGEST_NAME:
            raise CannotError(f"a name has 1 to {_LONGEST_NAME} characters")
        if len(world.guests) >= MOST_GUESTS:
            raise error(web.HTTPConflict, "that is enough phones")
        world.guests.append(self._guest(name, body.get("number")))
        self._stage.feed.tell("phones", {})
        return web.json_response({"key": world.guests[-1].key}, status=201)

    def _guest(self, name: str, number: object) -> Phone:
        """Raises CannotError."""
        digits = "".join(filter(str.isdigit, number)) if isinstance(number, str) else ""
        if number not in (None, "") and not 8 <= len(digits) <= 15:  # noqa: PLR2004  E.164
            raise CannotError(f"{number!r} is no phone number with its country code")
        if digits and self._stage.holder(digits):
            raise CannotError("this number rings on another phone")
        id_ = self._stage.ids.token()
        facts: Json = {"number": f"+{digits}"} if digits else {"username": name.split(maxsplit=1)[0].lower()}
        return Phone(
            f"guest-{id_[:8].lower()}", name, "customer", f"KE.{id_}", hints=("menu", "pay 100"), **facts
        )
