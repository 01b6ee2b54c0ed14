"""The peer: an echo bot on pywa's async client with FastAPI, its own recommended server. It keeps
everything in memory.

python -m tests.bench.peer PORT GRAPH_PORT

https://pywa.readthedocs.io
"""

import sys

import httpx
import uvicorn
from fastapi import FastAPI
from pywa_async import WhatsApp
from pywa_async.types import Message


def echo_bot(graph_port: int) -> FastAPI:
    app = FastAPI()
    session = httpx.AsyncClient()  # as pywa makes it; it was measured slower with more connections
    whatsapp = WhatsApp(
        phone_id="106540352242922",
        token="token",
        session=session,
        server=app,
        webhook_endpoint="/webhooks/whatsapp",
        verify_token="verify",
        app_secret="app-secret",
    )
    session.base_url = f"http://127.0.0.1:{graph_port}/v25.0"

    @whatsapp.on_message  # type: ignore[untyped-decorator]
    async def echo(_client: WhatsApp, message: Message) -> None:
        await message.reply_text(message.text)

    return app


if __name__ == "__main__":
    uvicorn.run(
        echo_bot(int(sys.argv[2])),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        log_level="error",
        access_log=False,
        loop="uvloop",
        http="httptools",
    )
