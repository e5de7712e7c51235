"""GnuTLS: `certtool --verify` by name and purpose, for all key types."""

from pathlib import Path

import toolchain
from harness import Report
from pkis import Pkis

SERVER_AUTH = "1.3.6.1.5.5.7.3.1"
CLIENT_AUTH = "1.3.6.1.5.5.7.3.2"


def run(report: Report, pkis: Pkis) -> None:
    """Each PKI by key type with its twins, and two wrong CAs."""
    toolchain.require("certtool", "gnutls-bin")
    for key, pki in pkis.by_key.items():
        ca, server, client = (pki / name for name in ("ca.crt", "server.crt", "alice.crt"))
        as_server = ("--verify-purpose", SERVER_AUTH)
        report.accepts(f"gnutls: server.crt is a server's, named localhost [{key}]",
                       verify(ca, server, *as_server, "--verify-hostname", "localhost"))
        report.refuses(f"gnutls: server.crt is not named elsewhere.test [{key}]",
                       verify(ca, server, *as_server, "--verify-hostname", "elsewhere.test"),
                       says="name in the certificate does not match")
        report.accepts(f"gnutls: alice.crt is a client's [{key}]",
                       verify(ca, client, "--verify-purpose", CLIENT_AUTH))
        report.refuses(f"gnutls: alice.crt is not a server's [{key}]",
                       verify(ca, client, *as_server), says="does not match the intended purpose")
        for file in sorted(pki.glob("*.key")):
            report.accepts(f"gnutls: reads {file.name} [{key}]",
                           ["certtool", "--key-info", "--infile", file],
                           says="Public Key Info")
    server = pkis.home / "server.crt"
    for name in ("foreign", "namesake"):
        report.refuses(f"gnutls: wrong CA [{name}]",
                       verify(getattr(pkis, name) / "ca.crt", server),
                       says="issuer is unknown|signature is invalid")


def verify(ca: Path, certificate: Path, *options: str) -> list:
    """The command that verifies `certificate` up to `ca`."""
    return ["certtool", "--verify", "--load-ca-certificate", ca, *options, "--infile", certificate]
