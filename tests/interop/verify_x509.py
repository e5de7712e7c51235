"""Says what Python's `cryptography` thinks of our files; exit code 1 is a refusal.

    verify_x509.py CA CERTIFICATE server NAME
    verify_x509.py CA CERTIFICATE client
    verify_x509.py KEY CERTIFICATE key          whether the key is the certificate's
"""

import ipaddress
import sys
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import verification


def subject(name: str) -> x509.GeneralName:
    """The name a client dials, as the verifier wants it."""
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def match(key: str, certificate: str) -> None:
    """Compare the two public keys."""
    private_key = load_pem_private_key(Path(key).read_bytes(), password=None)
    leaf = x509.load_pem_x509_certificate(Path(certificate).read_bytes())
    if private_key.public_key() != leaf.public_key():
        sys.exit("refused: not the key of the certificate")
    print("the key of the certificate")


def verify(ca: str, certificate: str, role: str, *name: str) -> None:
    """Verify the first certificate of the file, with the rest of the file as intermediates."""
    anchors = x509.load_pem_x509_certificates(Path(ca).read_bytes())
    leaf, *intermediates = x509.load_pem_x509_certificates(Path(certificate).read_bytes())
    builder = verification.PolicyBuilder().store(verification.Store(anchors))
    try:
        if role == "server":
            chain = builder.build_server_verifier(subject(name[0])).verify(leaf, intermediates)
        else:
            chain = builder.build_client_verifier().verify(leaf, intermediates).chain
    except verification.VerificationError as refusal:
        sys.exit(f"refused: {refusal}")
    print(f"verified, {len(chain)} certificates")


if __name__ == "__main__":
    trust_or_key, certificate, role, *name = sys.argv[1:]
    if role == "key":
        match(trust_or_key, certificate)
    else:
        verify(trust_or_key, certificate, role, *name)
