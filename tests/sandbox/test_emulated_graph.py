"""The emulated Graph API: what it takes, what it refuses as Meta would, and what it posts to the app."""

from datetime import timedelta

import aiohttp
import pytest

from tests.sandbox.payloads import TO, buttons, interactive, listed, rows, text


async def test_a_text_from_a_phone_arrives_signed_with_number_and_user_id(sandbox):
    message = await sandbox.hear(text="pay 500")
    assert message["from"] == "254712345678"
    assert message["from_user_id"] == "KE.1001"
    assert message["text"] == {"body": "pay 500"}
    value = sandbox.app.values[0]
    assert value["metadata"]["phone_number_id"] == "106540352242922"
    assert value["contacts"] == [
        {"profile": {"name": "Achieng"}, "wa_id": "254712345678", "user_id": "KE.1001"}
    ]


async def test_a_hidden_number_is_absent_not_empty(sandbox):
    message = await sandbox.hear("juma")
    assert "from" not in message
    assert message["from_user_id"] == "KE.1002"
    contact = sandbox.app.values[0]["contacts"][0]
    assert "wa_id" not in contact
    assert contact["profile"]["username"] == "juma_k"


async def test_a_message_is_sent_delivered_and_read_in_this_order(sandbox, wait):
    await sandbox.hear()
    status, answer = await sandbox.graph(**text(biz_opaque_callback_data="out-7"))
    wamid = answer["messages"][0]["id"]
    assert status == 200
    assert answer["contacts"] == [{"input": TO, "wa_id": "254712345678"}]
    await wait(lambda: len(sandbox.app.statuses) == 2)
    await sandbox.act("phones/achieng/read")
    await wait(lambda: len(sandbox.app.statuses) == 3)
    assert [status["status"] for status in sandbox.app.statuses] == ["sent", "delivered", "read"]
    for told in sandbox.app.statuses:
        assert told["id"] == wamid
        assert told["biz_opaque_callback_data"] == "out-7"
        assert told["recipient_id"] == "254712345678"
        assert told["recipient_user_id"] == "KE.1001"


async def test_a_user_id_is_addressed_by_recipient_and_tells_no_number(sandbox, wait):
    await sandbox.hear("juma")
    status, answer = await sandbox.graph(recipient="KE.1002", type="text", text={"body": "Hi"})
    assert status == 200
    assert answer["contacts"] == [{"input": "KE.1002", "user_id": "KE.1002"}]
    await wait(lambda: len(sandbox.app.statuses) == 2)
    assert "recipient_id" not in sandbox.app.statuses[0]


async def test_to_wins_over_recipient(sandbox):
    await sandbox.hear("achieng")
    _, answer = await sandbox.graph(**text(), recipient="KE.1002")
    assert answer["contacts"][0]["input"] == TO


async def test_a_user_id_in_to_is_taken_and_lost(sandbox):
    await sandbox.hear("juma")
    status, _ = await sandbox.graph(to="KE.1002", type="text", text={"body": "Hi"})
    chat = await sandbox.look("phones/juma/messages")
    assert status == 200
    assert [message["text"] for message in chat["messages"]] == ["menu"]
    assert sandbox.app.statuses == []


async def test_a_stranger_is_undeliverable_by_a_failed_status_without_contacts(sandbox, wait):
    status, _ = await sandbox.graph(to="+254799999999", type="text", text={"body": "Hi"})
    assert status == 200
    await wait(lambda: sandbox.app.statuses)
    assert sandbox.app.statuses[0]["status"] == "failed"
    assert sandbox.app.statuses[0]["errors"][0]["code"] == 131026
    assert "contacts" not in sandbox.app.values[0]


async def test_the_window_closes_24_hours_after_the_last_message(sandbox):
    await sandbox.hear()
    sandbox.clock.forward(timedelta(hours=23, minutes=59))
    assert (await sandbox.graph(**text()))[0] == 200
    sandbox.clock.forward(timedelta(minutes=1))
    status, answer = await sandbox.graph(**text())
    assert (status, answer["error"]["code"]) == (400, 131047)
    language = {"code": "en"}
    body = {"type": "body", "parameters": [{"type": "text", "text": word} for word in ("W", "1,000")]}
    template = {"name": "withdrawal_request", "language": language, "components": [body]}
    assert (await sandbox.graph(to=TO, type="template", template=template))[0] == 200


async def test_the_page_can_close_a_window(sandbox):
    await sandbox.hear()
    await sandbox.act("phones/achieng/window", open=False)
    assert (await sandbox.graph(**text()))[1]["error"]["code"] == 131047


@pytest.mark.parametrize(
    ("components", "name", "code"),
    [([], "withdrawal_request", 132000), ([], "unheard_of", 132001)],
)
async def test_a_template_must_exist_and_be_filled(sandbox, components, name, code):
    template = {"name": name, "language": {"code": "en"}, "components": components}
    _, answer = await sandbox.graph(to=TO, type="template", template=template)
    assert answer["error"]["code"] == code


async def test_a_refusal_stands_on_the_phone_that_it_was_for(sandbox):
    await sandbox.hear()
    await sandbox.graph(**buttons("x" * 21))
    chat = await sandbox.look("phones/achieng/messages")
    assert chat["messages"][-1]["kind"] == "note"
    assert "131009" in chat["messages"][-1]["text"]


async def test_a_wrong_token_is_190_and_a_foreign_number_100(sandbox):
    status, answer = await sandbox.graph(token="wrong", **text())
    assert (status, answer["error"]["code"]) == (401, 190)
    status, answer = await sandbox.post("/v25.0/999/messages", {}, "token-1")
    assert (status, answer["error"]["code"]) == (400, 100)


@pytest.mark.parametrize(("token", "status"), [("token-1", 200), ("wrong", 401)])
async def test_a_number_can_be_looked_at_with_its_token(sandbox, token, status):
    headers = {"Authorization": f"Bearer {token}"}
    async with sandbox.session.get(f"{sandbox.url}/v25.0/106540352242922", headers=headers) as answer:
        told = await answer.json()
    assert answer.status == status
    assert told.get("id", told.get("error", {}).get("code")) == ("106540352242922" if status == 200 else 190)


async def test_a_body_that_is_no_json_is_an_error_not_a_crash(sandbox):
    url = f"{sandbox.url}/v25.0/106540352242922/messages"
    headers = {"Authorization": "Bearer token-1"}
    for body in (b"{", b"[1]", b'"x"'):
        async with sandbox.session.post(url, data=body, headers=headers) as answer:
            assert answer.status == 400
            assert (await answer.json())["error"]["code"] == 100


async def test_read_marks_this_and_earlier_messages_and_shows_typing(sandbox):
    await sandbox.hear(text="one")
    second = await sandbox.hear(text="two")
    status, answer = await sandbox.graph(
        status="read", message_id=second["id"], typing_indicator={"type": "text"}
    )
    assert (status, answer) == (200, {"success": True})
    chat = await sandbox.look("phones/achieng/messages")
    assert [message["status"] for message in chat["messages"]] == ["read", "read"]
    assert chat["typing_until"] == int(sandbox.clock().timestamp() * 1000) + 25_000
    await sandbox.graph(**text())
    assert (await sandbox.look("phones/achieng/messages"))["typing_until"] == 0


async def test_read_of_an_unknown_message_is_refused(sandbox):
    status, answer = await sandbox.graph(status="read", message_id="wamid.none")
    assert (status, answer["error"]["code"]) == (400, 131009)


async def test_a_tap_answers_with_the_button_and_its_message(sandbox, wait):
    await sandbox.hear()
    _, answer = await sandbox.graph(**buttons("Pay", "Cancel"))
    await sandbox.act("phones/achieng/tap", choice="Cancel")
    await wait(lambda: len(sandbox.app.messages) == 2)
    told = sandbox.app.messages[-1]
    assert told["interactive"] == {
        "type": "button_reply",
        "button_reply": {"id": "id-1", "title": "Cancel"},
    }
    assert told["context"] == {"from": "254711000111", "id": answer["messages"][0]["id"]}


async def test_an_old_button_can_still_be_tapped(sandbox, wait):
    await sandbox.hear()
    _, first = await sandbox.graph(**buttons("Pay"))
    await sandbox.graph(**buttons("Pay"))
    await sandbox.act("phones/achieng/tap", choice="id-0", message=first["messages"][0]["id"])
    await wait(lambda: len(sandbox.app.messages) == 2)
    assert sandbox.app.messages[-1]["context"]["id"] == first["messages"][0]["id"]


async def test_a_row_comes_back_with_its_description_where_it_has_one(sandbox, wait):
    await sandbox.hear()
    await sandbox.graph(**listed({"rows": rows(2, description="Fresh")}))
    await sandbox.act("phones/achieng/tap", choice="Row 0")
    await sandbox.act("phones/achieng/tap", choice="row-1")
    await wait(lambda: len(sandbox.app.messages) == 3)
    first, second = (message["interactive"]["list_reply"] for message in sandbox.app.messages[1:])
    assert first == {"id": "row-0", "title": "Row 0", "description": "Fresh"}
    assert second == {"id": "row-1", "title": "Row 1"}


async def test_a_tap_on_what_is_not_there_is_refused(sandbox):
    await sandbox.hear()
    status, answer = await sandbox.post("/control/phones/achieng/tap", {"choice": "Nothing"})
    assert status == 400
    assert "Nothing" in answer["error"]


async def test_a_shared_number_answers_the_contact_request_and_rings_from_then_on(sandbox, wait):
    await sandbox.hear("juma")
    ask = interactive("request_contact_info", {"name": "request_contact_info"})
    ask = {"recipient": "KE.1002"} | {key: value for key, value in ask.items() if key != "to"}
    _, answer = await sandbox.graph(**ask)
    await sandbox.act("phones/juma/share", number="+254 733 000 999")
    await wait(lambda: len(sandbox.app.messages) == 2)
    told = sandbox.app.messages[-1]
    card = told["contacts"][0]
    assert card["origin"] == "contact_request"
    assert card["phones"][0] == {"phone": "+254733000999", "wa_id": "254733000999", "type": "CELL"}
    assert told["context"]["id"] == answer["messages"][0]["id"]
    await sandbox.graph(to="+254733000999", type="text", text={"body": "Thanks"})
    chat = await sandbox.look("phones/juma/messages")
    assert chat["messages"][-1]["text"] == "Thanks"


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("500", 500, 131000),
        ("503", 503, 131016),
        ("130429", 400, 130429),
        ("131056", 400, 131056),
        ("131047", 400, 131047),
        ("190", 401, 190),
    ],
)
async def test_an_armed_fault_strikes_as_often_as_it_was_armed(sandbox, fault, status, code):
    await sandbox.hear()
    await sandbox.arm("graph.send", fault, times=2)
    answers = [await sandbox.graph(**text()) for _ in range(3)]
    assert [answer[0] for answer in answers] == [status, status, 200]
    assert answers[0][1]["error"]["code"] == code


async def test_a_dropped_connection_comes_after_the_message_was_accepted(sandbox, wait):
    await sandbox.hear()
    await sandbox.arm("graph.send", "drop")
    with pytest.raises(aiohttp.ClientError):
        await sandbox.graph(**text("Did it arrive?", biz_opaque_callback_data="out-1"))
    await wait(lambda: len(sandbox.app.statuses) == 2)
    assert sandbox.app.statuses[0]["biz_opaque_callback_data"] == "out-1"
    chat = await sandbox.look("phones/achieng/messages")
    assert chat["messages"][-1]["text"] == "Did it arrive?"


async def test_an_accepted_message_can_fail_later(sandbox, wait):
    await sandbox.hear()
    await sandbox.arm("graph.send", "failed")
    assert (await sandbox.graph(**text()))[0] == 200
    await wait(lambda: sandbox.app.statuses)
    assert sandbox.app.statuses[0]["status"] == "failed"


async def test_statuses_can_come_in_the_wrong_order(sandbox, wait):
    await sandbox.hear()
    await sandbox.arm("graph.statuses", "reversed")
    await sandbox.graph(**text())
    await wait(lambda: len(sandbox.app.statuses) == 2)
    assert [status["status"] for status in sandbox.app.statuses] == ["delivered", "sent"]


async def test_a_webhook_can_come_twice_and_forged(sandbox, wait):
    await sandbox.arm("graph.webhook", "twice")
    await sandbox.hear()
    await wait(lambda: len(sandbox.app.messages) == 2)
    assert sandbox.app.messages[0] == sandbox.app.messages[1]
    await sandbox.arm("graph.webhook", "forged")
    await sandbox.hear(text="true")
    assert len(sandbox.app.refused) == 1


async def test_a_webhook_that_the_app_did_not_take_comes_again_and_order_holds(sandbox, wait):
    sandbox.app.statuses_to_answer = [500, 503]
    await sandbox.act("phones/achieng/text", text="one")
    await sandbox.act("phones/achieng/text", text="two")
    await wait(lambda: len(sandbox.app.messages) == 2)
    assert [message["text"]["body"] for message in sandbox.app.messages] == ["one", "two"]
    chat = await sandbox.look("phones/achieng/messages")
    assert chat["messages"][0]["status"] == "delivered"


async def test_a_phone_can_send_the_same_message_again(sandbox, wait):
    first = await sandbox.hear()
    await sandbox.act("phones/achieng/repeat")
    await wait(lambda: len(sandbox.app.messages) == 2)
    assert sandbox.app.messages[1] == first


async def test_reset_empties_the_phones(sandbox):
    await sandbox.hear()
    await sandbox.arm("graph.send", "500")
    await sandbox.act("reset")
    state = await sandbox.look("state")
    assert all(chat["messages"] == [] for chat in state["chats"])
    assert state["faults"] == []
