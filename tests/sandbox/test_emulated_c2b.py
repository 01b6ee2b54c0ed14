"""The emulated Daraja registers addresses once, and tells there of what comes in."""

import pytest

URL = "/mpesa/c2b/v2/registerurl"


def addresses(sandbox, **changes):
    return {
        "ShortCode": "174379",
        "ResponseType": "Completed",
        "ConfirmationURL": f"{sandbox.app_url}/hooks/told",
        "ValidationURL": f"{sandbox.app_url}/hooks/asked",
    } | changes


async def register(sandbox, merchant, **changes):
    return await sandbox.post(URL, addresses(sandbox, **changes), merchant.token)


@pytest.fixture
async def registered(sandbox, logged_in):
    status, told = await register(sandbox, logged_in)
    assert (status, told["ResponseCode"]) == (200, "0")
    return sandbox


async def test_who_pays_by_hand_is_told_of_as_documented(registered, wait):
    await registered.act("counter", amount=70, number="+254712345678", account="K7Q2X0")
    await wait(lambda: registered.app.callbacks)
    ((path, told),) = registered.app.callbacks
    assert path.endswith("/hooks/told")
    assert told | {"TransID": "", "TransTime": ""} == {
        "TransactionType": "Pay Bill",
        "TransID": "",
        "TransTime": "",
        "TransAmount": "70.00",
        "BusinessShortCode": "174379",
        "BillRefNumber": "K7Q2X0",
        "InvoiceNumber": "",
        "OrgAccountBalance": "70.00",
        "ThirdPartyTransID": "",
        "MSISDN": "2547 ***** 678",
        "FirstName": "JOHN",
        "MiddleName": "",
        "LastName": "",
    }


async def test_nobody_is_told_where_nothing_is_registered(sandbox, wait, logged_in):
    await sandbox.act("counter", amount=70)
    await logged_in.push()
    (prompt,) = (await sandbox.look("prompts"))["prompts"]
    await sandbox.act(f"prompts/{prompt['id']}", outcome="pay")
    await wait(lambda: sandbox.app.callbacks)
    assert len(sandbox.app.callbacks) == 1  # the prompt's own


async def test_a_payment_that_a_prompt_asked_for_is_told_too(registered, wait, logged_in):
    await logged_in.push()
    (prompt,) = (await registered.look("prompts"))["prompts"]
    await registered.act(f"prompts/{prompt['id']}", outcome="pay")
    await wait(lambda: len(registered.app.callbacks) == 2)
    told = {path.rpartition("/")[2]: body for path, body in registered.app.callbacks}["told"]
    assert told["BillRefNumber"] == prompt["reference"]


async def test_other_addresses_of_the_same_shortcode_are_refused(registered, logged_in):
    assert (await register(registered, logged_in))[0] == 200
    status, told = await register(registered, logged_in, ConfirmationURL="https://elsewhere.example/1")
    assert (status, told["errorMessage"]) == (500, "URLs are already registered")
    await registered.act("c2b/forget")
    assert (await register(registered, logged_in, ConfirmationURL="https://elsewhere.example/1"))[0] == 200


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"ShortCode": "600966"}, "ShortCode"),
        ({"ResponseType": "Maybe"}, "ResponseType"),
        ({"ConfirmationURL": "nowhere"}, "ConfirmationURL"),
        ({"ConfirmationURL": "https://pay.example/mpesa"}, "ConfirmationURL"),
        ({"ValidationURL": ""}, "ValidationURL"),
    ],
)
async def test_what_is_wrong_is_named(sandbox, logged_in, changes, named):
    status, told = await register(sandbox, logged_in, **changes)
    assert (status, told["errorMessage"]) == (400, f"Bad Request - Invalid {named}")


@pytest.mark.parametrize(
    ("fault", "paths"), [("twice", ["told", "told"]), ("asks", ["asked", "told"]), ("forged", ["told"])]
)
async def test_what_can_go_wrong(registered, wait, fault, paths):
    await registered.arm("c2b.callback", fault)
    receipt = (await registered.act("counter", amount=70))["receipt"]
    await wait(lambda: len(registered.app.callbacks) == len(paths))
    assert [path.rpartition("/")[2] for path, _ in registered.app.callbacks] == paths
    assert all((told["TransID"] == receipt) is (fault != "forged") for _, told in registered.app.callbacks)
