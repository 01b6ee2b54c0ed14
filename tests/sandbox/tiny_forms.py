"""Tiny forms: a form for the tiny bot, and the endpoint behind it, in the few lines that a bot needs."""

import json
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.whatsapp.forms import FormsKey, new_key

KEY = FormsKey(new_key())
FLOW_ID = "77"
LAYOUT = json.loads((Path(__file__).parents[2] / "bot" / "whatsapp" / "bank.json").read_text())
OVER = "token-over"


def flow(token: str = "token-1") -> dict[str, Any]:
    parameters = {
        "flow_message_version": "3",
        "flow_id": FLOW_ID,
        "flow_cta": "Fill in the form",
        "flow_token": token,
        "flow_action": "data_exchange",
    }
    return {"name": "flow", "parameters": parameters}


async def exchange(request: web.Request) -> web.Response:
    opened = KEY.open(await request.read())
    asked = opened.asked
    if asked["flow_token"] == OVER:
        return web.Response(status=427, text=opened.answer({"error_msg": "This form is over."}))
    filled = asked["data"]
    if asked["action"] == "data_exchange" and filled["account_number"].isdigit():
        params = {"flow_token": asked["flow_token"], **filled}
        done = {"screen": "SUCCESS", "data": {"extension_message_response": {"params": params}}}
        return web.Response(text=opened.answer(done))
    wrong = {"account_number": "Digits only."} if asked["action"] == "data_exchange" else {}
    data = {
        "heading": "Where should KES 500.00 go?",
        "bank_label": "Bank",
        "number_label": "Account number",
        "name_label": "Account holder's name",
        "done_label": "Done",
        "banks": [{"id": "68", "title": "Equity"}, {"id": "01", "title": "KCB"}],
        "error_messages": wrong,
    }
    return web.Response(text=opened.answer({"screen": "BANK", "data": data}))
