"""Python's `cryptography.x509.verification`, run in the virtual environment by `verify_x509.py`."""

from pathlib import Path

import toolchain
from harness import Report
from pkis import Pkis

PROGRAM = toolchain.INTEROP / "verify_x509.py"

# The verifier follows the CA/Browser Forum, which has no Ed25519; there is no switch to add it.
UNSUPPORTED = {"ed25519": "(?i)forbidden (signature|public key) algorithm"}


def run(report: Report, pkis: Pkis) -> None:
    """Server and client verifier for each key type, and what they must refuse."""
    for key, pki in pkis.by_key.items():
        ca, server, client = (pki / name for name in ("ca.crt", "server.crt", "alice.crt"))
        for name in ("ca", "server", "alice"):
            report.accepts(f"x509: {name}.key is read, and is the key of {name}.crt [{key}]",
                           verify(pki / f"{name}.key", pki / f"{name}.crt", "key"))
        report.refuses(f"x509: alice.key is not the key of server.crt [{key}]",
                       verify(pki / "alice.key", server, "key"), says="not the key")
        if because := UNSUPPORTED.get(key):
            report.refuses(f"x509: does not support this key type, as known [{key}]",
                           verify(ca, server, "server", "localhost"), says=because)
            continue
        report.accepts(f"x509: server.crt is a server's, named localhost [{key}]",
                       verify(ca, server, "server", "localhost"))
        report.refuses(f"x509: server.crt is not named elsewhere.test [{key}]",
                       verify(ca, server, "server", "elsewhere.test"),
                       says="no matching subjectAltName")
        report.accepts(f"x509: alice.crt is a client's [{key}]", verify(ca, client, "client"))
    home = pkis.home / "ca.crt"
    report.refuses("x509: does not support a client without alternative names, as known",
                   verify(home, pkis.home / "alice.crt", "client"),
                   says="missing required extension")
    report.accepts("x509: a peer is named 127.0.0.1",
                   verify(home, pkis.home / "orders.crt", "server", "127.0.0.1"))
    report.refuses("x509: a server's is not a client's",
                   verify(home, pkis.home / "server.crt", "client"), says="EKU")
    report.refuses("x509: a client's is not a server's",
                   verify(home, pkis.home / "lure.crt", "server", "localhost"), says="EKU")
    for name in ("foreign", "namesake"):
        report.refuses(f"x509: wrong CA [{name}]",
                       verify(getattr(pkis, name) / "ca.crt", pkis.home / "server.crt",
                              "server", "localhost"),
                       says="candidates exhausted|signature")


def verify(ca: Path, certificate: Path, *arguments: str) -> list:
    """The command that verifies `certificate` up to `ca`, or compares it with a key."""
    return [toolchain.python(), PROGRAM, ca, certificate, *arguments]
