"""Keys: the emulated Safaricom's RSA key and the certificate that carries it to a merchant."""

from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID


def new_private_key() -> rsa.RSAPrivateKey:
    """2048 bits, so that a SecurityCredential is 344 characters of base64 as the real one is."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def certificate_pem(private_key: rsa.RSAPrivateKey, now: datetime) -> str:
    """A self-signed certificate for the tenant's settings, good for a year from `now`."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Lipachat sandbox M-Pesa")])
    builder = x509.CertificateBuilder(
        issuer_name=name,
        subject_name=name,
        public_key=private_key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=now - timedelta(days=1),
        not_valid_after=now + timedelta(days=365),
    )
    return builder.sign(private_key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()
