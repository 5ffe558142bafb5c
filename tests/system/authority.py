# SPDX-License-Identifier: MIT
"""A certificate authority of the test's own, and the certificates that it signs, right and wrong ones."""
import base64
import datetime
import hashlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)


def name_of(text):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Authority:
    def __init__(self, name="Test authority"):
        self.name, self.key = name_of(name), ec.generate_private_key(ec.SECP256R1())
        self.certificate = self.make(self.name, self.key, DAY * 30).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(self.key, hashes.SHA256())

    def make(self, subject, key, until, since=-DAY):
        now = datetime.datetime.utcnow()
        return (x509.CertificateBuilder().subject_name(subject).issuer_name(self.name).public_key(key.public_key())
                .serial_number(x509.random_serial_number()).not_valid_before(now + since).not_valid_after(now + until))

    def write(self, path):
        path.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))
        return path

    def sign_for(self, folder, domain, until=DAY * 30, since=-DAY):
        """cert.pem and key.pem for the domain in the folder; answers the pin of the key."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.DNSName(domain)])
        certificate = self.make(name_of(domain), key, until, since).add_extension(
            names, critical=False).sign(self.key, hashes.SHA256())
        (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        (folder / "key.pem").write_bytes(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        return pin_of(certificate)


def pin_of(certificate):
    """base64 of SHA-256 of SubjectPublicKeyInfo."""
    spki = certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(hashlib.sha256(spki).digest()).decode()
