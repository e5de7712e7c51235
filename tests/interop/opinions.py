"""The evidence for `verify`'s second opinions: each case staged with OpenSSL, and the clients asked.

opinions.json has what each client decides, and is compared with the table in
src/diagnose/opinions.rs by a unit test there; here it is compared with the clients. `evidence` is
the client's program, or `none:` and why it is not asked; `before` is the version of the client
that first decides otherwise.
"""

import contextlib
import json
import re
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import toolchain
from harness import CheckFailed, NotRun, Report, run as run_command, serving
from pkis import Pkis

ROWS = json.loads((toolchain.INTEROP / "opinions.json").read_text())
SERVER = toolchain.ROOT / "tests/it/zoo/server.py"


@dataclass
class Stage:
    """How a server's certificate is made; as it stands here, nothing is wrong with it."""

    key: str = "EC -pkeyopt ec_paramgen_curve:P-256"
    digest: str = "sha256"
    names: str = "DNS:localhost"
    ca: str = "FALSE"
    purpose: str = "serverAuth"
    ca_key: str = key
    ca_days: int = 30
    self_signed: bool = False
    revoked: bool = False
    server: dict = field(default_factory=dict)

    def make(self, folder: Path) -> None:
        """ca.crt, server.crt and server.key in `folder`."""
        extensions = [f"basicConstraints = critical, CA:{self.ca}",
                      f"extendedKeyUsage = {self.purpose}"]
        if self.names:
            extensions.append(f"subjectAltName = {self.names}")
        (folder / "server.ext").write_text("\n".join(extensions))
        (folder / "ca.ext").write_text(
            "basicConstraints = critical, CA:TRUE\nkeyUsage = critical, keyCertSign, cRLSign\n"
        )
        key = f"genpkey -algorithm {self.key} -out server.key"
        request = "req -new -key server.key -subj /CN=localhost -out server.csr"
        sign = f"x509 -req -in server.csr -{self.digest} -days 7 -extfile server.ext"
        if self.self_signed:
            openssl(folder, key, request, f"{sign} -signkey server.key -out server.crt")
            (folder / "ca.crt").write_bytes((folder / "server.crt").read_bytes())
            return
        openssl(
            folder, key, request,
            f"genpkey -algorithm {self.ca_key} -out ca.key",
            "req -new -key ca.key -subj /CN=opinions-ca -out ca.csr",
            f"x509 -req -in ca.csr -days {self.ca_days} -extfile ca.ext -signkey ca.key -out ca.crt",
            f"{sign} -CA ca.crt -CAkey ca.key -CAcreateserial -out server.crt",
        )
        if self.revoked:
            self.revoke(folder)

    def revoke(self, folder: Path) -> None:
        """pki/crl.pem, which `verify` reads by itself."""
        (folder / "pki").mkdir()
        (folder / "index").touch()
        (folder / "ca.cnf").write_text("[ca]\ndefault_ca = ours\n[ours]\ndatabase = index\n"
                                       "default_md = sha256\ndefault_crl_days = 7\n")
        ca = "ca -config ca.cnf -keyfile ca.key -cert ca.crt"
        openssl(folder, f"{ca} -revoke server.crt", f"{ca} -gencrl -out pki/crl.pem")


STAGES = {
    "healthy": Stage(),
    "revoked": Stage(revoked=True),
    "cn-only": Stage(names=""),
    "ca-true": Stage(ca="TRUE"),
    "ca-true, self-signed": Stage(ca="TRUE", self_signed=True),
    "any-purpose": Stage(purpose="anyExtendedKeyUsage"),
    "rsa-1024": Stage(key="RSA -pkeyopt rsa_keygen_bits:1024"),
    "sha-1": Stage(digest="sha1", ca_key="RSA -pkeyopt rsa_keygen_bits:2048"),
    "expired-anchor": Stage(ca_days=-1),
    "no-alpn": Stage(server={"alpn": False}),
    "ed25519": Stage(key="ED25519"),
    "p521": Stage(key="EC -pkeyopt ec_paramgen_curve:P-521"),
}

# Each reads lines `NUMBER CA PORT`, and answers `NUMBER accepted` or `NUMBER refused CAUSE`.
PROGRAMS: dict[str, Callable[[], list]] = {
    "crypto/tls": lambda: [toolchain.go_dial()],
    "grpcio": lambda: [toolchain.python(), "-B", toolchain.INTEROP / "python/dial.py"],
    "grpc-js": lambda: ["env", f"NODE_PATH={toolchain.node_modules()}",
                        toolchain.require("node", "nodejs"), toolchain.INTEROP / "node/dial.js"],
    "SSLSocket": lambda: [toolchain.require("java", "default-jdk-headless"),
                          toolchain.INTEROP / "java/Dial.java"],
}


def run(report: Report, pkis: Pkis) -> None:
    """All servers at once; each client's program, and then `verify`, goes through them."""
    toolchain.require("openssl", "openssl")
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as servers:
        dialled = {}
        for name, stage in STAGES.items():
            place = Path(folder) / name.replace(", ", "-")
            place.mkdir()
            stage.make(place)
            asked = {"mode": "grpc", "cert": f"{place}/server.crt", "key": f"{place}/server.key",
                     # Weak keys and signatures are for the client to refuse.
                     "ciphers": "DEFAULT@SECLEVEL=0", **stage.server}
            server = servers.enter_context(serving([sys.executable, SERVER, json.dumps(asked)]))
            dialled[name] = (place / "ca.crt", server.port)
        for program in PROGRAMS:
            check_client(report, program, dialled)
        for row in ROWS:
            for name in row["staged"]:
                report.check(f"opinions: verify knows them [{name}]",
                             partial(check_verify, pkis.binary, row, *dialled[name]))


def check_client(report: Report, program: str, dialled: dict) -> None:
    """What opinions.json has of the client whose program this is."""
    lines = "".join(f"{number}\t{ca}\t{port}\n"
                    for number, (ca, port) in enumerate(dialled.values()))
    try:
        written = run_command(PROGRAMS[program](), input=lines).output
    except NotRun as reason:
        report.not_run(f"opinions: {program}", str(reason))
        return
    except CheckFailed as hang:
        written = str(hang)
    answers = dict(line.split(" ", 1) for line in written.splitlines() if re.match(r"\d+ ", line))

    def decides(name: str, accepts: bool) -> None:
        does = "accepts" if accepts else "refuses"
        report.check(f"opinions: {program} {does} [{name}]", partial(body, name, accepts))

    def body(name: str, accepts: bool) -> None:
        answer = answers.get(str(list(dialled).index(name)), f"nothing; it wrote:\n{written}")
        if answer.split(" ")[0] != ("accepted" if accepts else "refused"):
            raise CheckFailed(f"expected that it {'accepts' if accepts else 'refuses'}, "
                              f"got: {answer}")

    # What the others are the twins of: each differs from it in one thing.
    decides("healthy", True)
    for row in ROWS:
        for decision in row["clients"].values():
            if decision["evidence"] != program:
                continue
            later = "before" in decision and node_version() >= version(decision["before"])
            for name in row["staged"]:
                decides(name, decision["accepts"] != later)


def node_version() -> list[int]:
    """The only client so far that changed its mind."""
    return version(run_command(["node", "--version"]).output.strip().removeprefix("v"))


def version(text: str) -> list[int]:
    return [int(part) for part in text.split(".")]


def check_verify(binary: Path, row: dict, ca: Path, port: int) -> None:
    """It reports the clients that decide differently, and no other."""
    done = run_command([binary, "verify", f"localhost:{port}", "--ca", ca, "--format", "json"],
                       cwd=ca.parent)
    try:
        document = json.loads(done.output)
    except ValueError:
        raise CheckFailed(done.summary) from None
    trusted = row["finding"] is None
    differing = {client: decision["accepts"] for client, decision in row["clients"].items()
                 if decision["accepts"] != trusted}
    told = {opinion["client"]: opinion["accepts"] for opinion in document["opinions"]}
    warning = ["opinions.refused_elsewhere"] if differing else []
    codes = [finding["code"] for finding in document["findings"]]
    right = (document["ok"] == trusted and told == differing
             and codes == (warning if trusted else [row["finding"]]))
    rust = row["clients"]["rust"]
    if rust["evidence"] == "verify":
        # What rustls itself said of the certificate and of the handshake, whatever `verify` adds.
        accepts = document["raw"]["error"] is None and document["tls"] is not None
        right = right and rust["accepts"] == accepts
    if not right:
        raise CheckFailed(f"expected the opinions {differing}\n{done.summary}")


def openssl(folder: Path, *commands: str) -> None:
    """Run OpenSSL's commands in `folder`."""
    for command in commands:
        done = run_command(["openssl", *command.split()], cwd=folder)
        if done.code != 0:
            raise CheckFailed(f"openssl {command}\n{done.summary}")
