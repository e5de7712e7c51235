"""The same handshakes for every stack that brings its own TLS: Node, Go, Java.

Each has a small program that reads one handshake per line and does it as server and as client in
one process, on 127.0.0.1. A line is tab-separated, `-` for nothing:

    ID  server.crt  server.key  CA for clients  CA for servers  name dialled  client.crt  client.key

The program answers `ID accepted NAME`, once the client has read the server's answer, where NAME is
the common name the server saw, or `ID refused CAUSE`, with what both sides said. A finished
handshake is not enough: in TLS 1.3 a refused client still sees one.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from harness import CheckFailed, Report, run
from pkis import Pkis

# The causes in the words of all three stacks.
WRONG_CA = (
    r"UNABLE_TO_(VERIFY_LEAF|GET_ISSUER)|CERT_SIGNATURE_FAILURE|unknown authority"
    r"|path building failed|signature check failed|does not chain with any of the trust anchors"
)
WRONG_NAME = r"ALTNAME_INVALID|is valid for|any IP SANs|No (name|subject alternative) "
WRONG_PURPOSE = r"INVALID_PURPOSE|incompatible key usage|key usage does not permit"
NO_CLIENT = r"PEER_DID_NOT_RETURN|didn't provide a certificate|Empty client certificate chain"

# Go and Java keep back a certificate of a CA that the server did not name.
FOREIGN_CLIENT = f"{WRONG_CA}|{NO_CLIENT}"


@dataclass
class Handshake:
    """One handshake and what must come of it: a common name, or the cause of a refusal."""

    name: str
    server: Path
    trust: Path
    dialled: str = "localhost"
    client: Path | None = None
    clients_trust: Path | None = None
    refused: str = ""

    def line(self, number: int) -> str:
        """As the programs read it."""

        def pair(entity: Path | None) -> tuple[object, object]:
            return (f"{entity}.crt", f"{entity}.key") if entity else ("-", "-")

        fields = (number, *pair(self.server), self.clients_trust or "-", self.trust,
                  self.dialled, *pair(self.client))
        return "\t".join(map(str, fields))

    def judge(self, answer: str) -> None:
        """Compare the program's answer with what must come of it."""
        verdict, _, detail = answer.partition(" ")
        if self.refused:
            right = verdict == "refused" and bool(re.search(self.refused, detail))
        else:
            right = verdict == "accepted" and detail == (self.client.name if self.client else "-")
        if not right:
            wanted = f"a refusal saying {self.refused!r}" if self.refused else "acceptance"
            raise CheckFailed(f"expected {wanted}, got: {answer}")


def handshakes(pkis: Pkis) -> list[Handshake]:
    """All of them, each refusal beside the success it is the twin of."""
    ca = pkis.home / "ca.crt"
    server, orders, alice, elsewhere, lure = (
        pkis.home / name for name in ("server", "orders", "alice", "elsewhere", "lure")
    )

    def mutual(name: str, client: Path | None, server: Path = server, refused: str = ""):
        return Handshake(name, server, ca, client=client, clients_trust=ca, refused=refused)

    cases = [
        Handshake("TLS", server, ca),
        Handshake("TLS, a peer by its address", orders, ca, "127.0.0.1"),
        Handshake("TLS, wrong CA", server, pkis.foreign / "ca.crt", refused=WRONG_CA),
        Handshake("TLS, wrong CA of the same name", server, pkis.namesake / "ca.crt",
                  refused=WRONG_CA),
        Handshake("TLS, wrong name", elsewhere, ca, refused=WRONG_NAME),
        Handshake("TLS, wrong address", server, ca, "127.0.0.1", refused=WRONG_NAME),
        Handshake("TLS, a client's certificate as the server's", lure, ca, refused=WRONG_PURPOSE),
        mutual("mutual TLS", alice),
        mutual("mutual TLS, peers on both sides", orders, server=orders),
        mutual("mutual TLS, no client certificate", None, refused=NO_CLIENT),
        mutual("mutual TLS, client of a foreign CA", pkis.foreign / "alice",
               refused=FOREIGN_CLIENT),
        mutual("mutual TLS, client of a CA of the same name", pkis.namesake / "alice",
               refused=WRONG_CA),
        mutual("mutual TLS, a server's certificate as the client's", elsewhere,
               refused=WRONG_PURPOSE),
    ]
    for key, pki in {**pkis.by_key, "ecdsa-p256 of an ed25519 CA": pkis.mixed}.items():
        cases.append(Handshake(f"mutual TLS [{key}]", pki / "server", pki / "ca.crt",
                               client=pki / "alice", clients_trust=pki / "ca.crt"))
    return cases


def check(report: Report, pkis: Pkis, stack: str, command: Sequence[str | Path]) -> None:
    """Give a stack's program all handshakes and judge its answers."""
    cases = handshakes(pkis)
    try:
        lines = "".join(f"{case.line(number)}\n" for number, case in enumerate(cases))
        written = run(command, input=lines).output
    except CheckFailed as hang:
        written = str(hang)
    answers = dict(line.split(" ", 1) for line in written.splitlines() if re.match(r"\d+ ", line))

    def body(number: int, case: Handshake) -> None:
        if (answer := answers.get(str(number))) is None:
            raise CheckFailed(f"the program did not answer; it wrote:\n{written}")
        case.judge(answer)

    for number, case in enumerate(cases):
        report.check(f"{stack}: {case.name}", partial(body, number, case))
