"""Merchant: requests as a correct client of Daraja would make them, written without that client."""

import base64
from dataclasses import dataclass
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

STAMP = "20261124120000"
PASSWORD = base64.b64encode(f"174379passkey{STAMP}".encode()).decode()


@dataclass
class Merchant:
    """`sandbox` is the fixture; `token` is the last that was asked for."""

    sandbox: Any
    certificate: str
    token: str = ""

    async def log_in(
        self, key: str = "key", secret: str = "secret", grant: str = "client_credentials"
    ) -> Any:
        url = f"{self.sandbox.url}/oauth/v1/generate?grant_type={grant}"
        basic = {"Authorization": "Basic " + base64.b64encode(f"key:{secret}".encode()).decode()}
        async with self.sandbox.session.get(url, headers=basic) as answer:
            told = await answer.json() if answer.content_type == "application/json" else await answer.text()
            if answer.status == 200:
                self.token = told["access_token"]
            return answer.status, told

    async def push(self, **changes: Any) -> tuple[int, dict[str, Any]]:
        body = {
            "BusinessShortCode": "174379",
            "Password": PASSWORD,
            "Timestamp": STAMP,
            "TransactionType": "CustomerPayBillOnline",
            "Amount": "500",
            "PartyA": "254712345678",
            "PartyB": "174379",
            "PhoneNumber": "254712345678",
            "CallBackURL": f"{self.sandbox.app_url}/hooks/abc/collect",
            "AccountReference": "ORDER-12",
            "TransactionDesc": "Order 12",
        }
        return await self._post("/mpesa/stkpush/v1/processrequest", body | changes)

    async def query(self, checkout: str) -> tuple[int, dict[str, Any]]:
        body = {"BusinessShortCode": "174379", "Password": PASSWORD, "Timestamp": STAMP}
        return await self._post("/mpesa/stkpushquery/v1/query", body | {"CheckoutRequestID": checkout})

    async def pay(self, originator: str = "attempt-1", **changes: Any) -> tuple[int, dict[str, Any]]:
        body = {
            "OriginatorConversationID": originator,
            "InitiatorName": "testapi",
            "SecurityCredential": self.credential("initiator-password"),
            "CommandID": "BusinessPayment",
            "Amount": "967",
            "PartyA": "174379",
            "PartyB": "254722000003",
            "Remarks": "Withdrawal",
            "QueueTimeOutURL": f"{self.sandbox.app_url}/hooks/abc/timeout",
            "ResultURL": f"{self.sandbox.app_url}/hooks/abc/result",
            "Occassion": "",
        }
        return await self._post("/mpesa/b2c/v3/paymentrequest", body | changes)

    async def pay_till(self, **changes: Any) -> tuple[int, dict[str, Any]]:
        body = {
            "Initiator": "testapi",
            "SecurityCredential": self.credential("initiator-password"),
            "CommandID": "BusinessBuyGoods",
            "SenderIdentifierType": "4",
            "RecieverIdentifierType": "4",
            "Amount": "967",
            "PartyA": "174379",
            "PartyB": "600100",
            "AccountReference": "W-1",
            "Remarks": "Withdrawal",
            "QueueTimeOutURL": f"{self.sandbox.app_url}/hooks/abc/timeout",
            "ResultURL": f"{self.sandbox.app_url}/hooks/abc/result",
            "Occassion": "",
        }
        return await self._post("/mpesa/b2b/v1/paymentrequest", body | changes)

    async def reverse(self, receipt: str, **changes: Any) -> tuple[int, dict[str, Any]]:
        body = {
            "Initiator": "testapi",
            "SecurityCredential": self.credential("initiator-password"),
            "CommandID": "TransactionReversal",
            "TransactionID": receipt,
            "Amount": "500",
            "ReceiverParty": "174379",
            "RecieverIdentifierType": "11",
            "Remarks": "Refund",
            "QueueTimeOutURL": f"{self.sandbox.app_url}/hooks/abc/timeout",
            "ResultURL": f"{self.sandbox.app_url}/hooks/abc/reversed",
            "Occasion": "",
        }
        return await self._post("/mpesa/reversal/v1/request", body | changes)

    async def ask(self, **changes: Any) -> tuple[int, dict[str, Any]]:
        body = {
            "Initiator": "testapi",
            "SecurityCredential": self.credential("initiator-password"),
            "CommandID": "TransactionStatusQuery",
            "OriginalConversationID": "attempt-1",
            "PartyA": "174379",
            "IdentifierType": "4",
            "Remarks": "What became of it",
            "QueueTimeOutURL": f"{self.sandbox.app_url}/hooks/abc/timeout",
            "ResultURL": f"{self.sandbox.app_url}/hooks/abc/asked",
        }
        return await self._post("/mpesa/transactionstatus/v1/query", body | changes)

    def credential(self, password: str) -> str:
        key = x509.load_pem_x509_certificate(self.certificate.encode()).public_key()
        assert isinstance(key, RSAPublicKey)
        return base64.b64encode(key.encrypt(password.encode(), PKCS1v15())).decode()

    async def _post(self, path: str, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        answer: tuple[int, dict[str, Any]] = await self.sandbox.post(path, body, self.token)
        return answer
