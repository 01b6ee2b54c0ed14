"""Control of webhooks: what the shop's own program answers, and what the app is to send it again."""

from aiohttp import web

from bot.sandbox.bodies import body_of, one_of, text
from bot.sandbox.receiver import ANSWERS, Receiver
from bot.sandbox.stage import Stage
from bot.sandbox.world import CannotError, Endpoint, Json


class WebhookControl:
    def __init__(self, stage: Stage, receiver: Receiver) -> None:
        self._stage, self._receiver = stage, receiver

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/control/webhooks", self.look),
            web.post("/control/webhooks", self.answer),
            web.post("/control/webhooks/enable", self.enable),
            web.post("/control/webhooks/again", self.again),
        ]

    async def look(self, _request: web.Request) -> web.Response:
        """{"answer", "posts", "endpoint": null where there is none}"""
        endpoint = self._stage.world.endpoint
        view = await endpoint.view() if endpoint is not None else None
        return web.json_response(
            {"answer": self._receiver.answer, "posts": self._receiver.view(), "endpoint": view}
        )

    async def answer(self, request: web.Request) -> web.Response:
        """{"answer": "200", "500", "410" or "slow"}"""
        self._receiver.answer = one_of(await body_of(request), "answer", ANSWERS)
        return self._told({"answer": self._receiver.answer})

    async def enable(self, _request: web.Request) -> web.Response:
        """The endpoint, or it is registered where it is not there."""
        await self._endpoint.enable()
        return self._told(await self._endpoint.view())

    async def again(self, request: web.Request) -> web.Response:
        """{"webhook_id"?: that event, else all that were given up}"""
        body = await body_of(request)
        await self._endpoint.again(text(body, "webhook_id") if "webhook_id" in body else None)
        return self._told(await self._endpoint.view())

    def _told(self, news: Json) -> web.Response:
        """To whoever else looks, too."""
        self._stage.feed.tell("answer" if "answer" in news else "endpoint", news)
        return web.json_response(news)

    @property
    def _endpoint(self) -> Endpoint:
        """Raises CannotError."""
        if self._stage.world.endpoint is None:
            raise CannotError("this sandbox has no program of the shop's own")
        return self._stage.world.endpoint
