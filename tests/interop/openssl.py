"""OpenSSL's command line: `openssl verify` in strict mode, and every private key checked."""

import base64
import tempfile
import time
from pathlib import Path

import toolchain
from harness import CheckFailed, Report
from harness import run as run_command
from pkis import Pkis


def run(report: Report, pkis: Pkis) -> None:
    """All key types; names and purposes on the home PKI too."""
    toolchain.require("openssl", "openssl")
    for key, pki in pkis.by_key.items():
        check_purposes(report, pki, f"[{key}]")
        for file in sorted(pki.glob("*.key")):
            report.accepts(f"openssl: pkey -check {file.name} [{key}]",
                           ["openssl", "pkey", "-in", file, "-check", "-noout"], says="valid")
    check_names(report, pkis)
    check_damaged_key(report, pkis)
    with tempfile.TemporaryDirectory() as folder:
        check_tutorial(report, Path(folder))


def verify(ca: Path, certificate: Path, *options: str) -> list:
    """The command that verifies `certificate` up to `ca`."""
    return ["openssl", "verify", "-x509_strict", *options, "-CAfile", ca, certificate]


def check_purposes(report: Report, pki: Path, label: str) -> None:
    """server.crt is a server's and alice.crt a client's, and neither is the other's."""
    ca, server, client = (pki / name for name in ("ca.crt", "server.crt", "alice.crt"))
    as_server, as_client = ("-purpose", "sslserver"), ("-purpose", "sslclient")
    report.accepts(f"openssl: server.crt is a server's, named localhost {label}",
                   verify(ca, server, *as_server, "-verify_hostname", "localhost"))
    report.refuses(f"openssl: server.crt is not named elsewhere.test {label}",
                   verify(ca, server, *as_server, "-verify_hostname", "elsewhere.test"),
                   says="hostname mismatch")
    report.refuses(f"openssl: server.crt is not a client's {label}",
                   verify(ca, server, *as_client), says="(?i)unsuitable certificate purpose")
    report.accepts(f"openssl: alice.crt is a client's {label}", verify(ca, client, *as_client))
    report.refuses(f"openssl: alice.crt is not a server's {label}",
                   verify(ca, client, *as_server), says="(?i)unsuitable certificate purpose")


def check_names(report: Report, pkis: Pkis) -> None:
    """A peer has both purposes and all its names; another CA vouches for nothing here."""
    ca, orders = pkis.home / "ca.crt", pkis.home / "orders.crt"
    for purpose in ("sslserver", "sslclient"):
        report.accepts(f"openssl: a peer passes as {purpose}",
                       verify(ca, orders, "-purpose", purpose))
    for address in ("127.0.0.1", "::1"):
        report.accepts(f"openssl: a peer is named {address}",
                       verify(ca, orders, "-verify_ip", address))
    report.refuses("openssl: a peer is not named 192.0.2.1",
                   verify(ca, orders, "-verify_ip", "192.0.2.1"), says="IP address mismatch")
    report.refuses("openssl: another CA",
                   verify(pkis.foreign / "ca.crt", orders), says="unable to get local issuer")
    report.refuses("openssl: another CA of the same name",
                   verify(pkis.namesake / "ca.crt", orders),
                   says="unable to get local issuer|signature failure|subject key identifier")


def check_damaged_key(report: Report, pkis: Pkis) -> None:
    """The twin of `pkey -check`: one octet changed in the public half of a P-256 key."""
    lines = (pkis.home / "server.key").read_text().splitlines()
    der = bytearray(base64.b64decode("".join(lines[1:-1])))
    der[-1] ^= 1
    damaged = pkis.home.parent / "damaged.key"
    damaged.write_text(f"{lines[0]}\n{base64.encodebytes(der).decode()}{lines[-1]}\n")
    report.refuses("openssl: pkey -check of a damaged key",
                   ["openssl", "pkey", "-in", damaged, "-check", "-noout"],
                   says="(?i)invalid|unable to load key|could not read|error")


def check_tutorial(report: Report, folder: Path) -> None:
    """README.md says what is wrong with the certificates of the tutorial's OpenSSL commands."""
    (folder / "certificate.conf").write_text(
        "[req]\nprompt = no\ndistinguished_name = dn\nreq_extensions = req_ext\n"
        "[dn]\nCN = my-server\n[req_ext]\nsubjectAltName = DNS:localhost\n"
    )
    for arguments in (
        "genrsa -out ca.key 2048",
        "req -new -x509 -key ca.key -sha256 -subj /CN=my-ca -out ca.crt",
        "genrsa -out server.key 2048",
        "req -new -key server.key -out server.csr -config certificate.conf",
        "x509 -req -in server.csr -CA ca.crt -CAkey ca.key -CAcreateserial -out server.crt "
        "-days 365 -sha256 -extfile certificate.conf -extensions req_ext",
    ):
        done = run_command(["openssl", *arguments.split()], cwd=folder)
        if done.code != 0:
            raise CheckFailed(done.summary)
    ca, server = folder / "ca.crt", folder / "server.crt"
    lax = ["openssl", "verify", "-CAfile", ca]
    in_31_days = str(int(time.time()) + 31 * 24 * 60 * 60)
    report.accepts("openssl: the tutorial's server.crt is good today", [*lax, server])
    report.refuses("openssl: the tutorial's CA is over in 31 days",
                   [*lax, "-attime", in_31_days, server], says="10 at 1 .*expired")
    report.refuses("openssl: the tutorial's CA has no keyUsage",
                   verify(ca, server), says="CA cert does not include key usage extension")
    report.accepts("openssl: the tutorial's server.crt passes as a client's",
                   [*lax, "-purpose", "sslclient", server])
