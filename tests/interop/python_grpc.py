"""Python's gRPC (the C core with BoringSSL): the programs of examples/python as they stand.

They run from a copy, so that the generated code stays out of the working tree.
"""

import shutil
import signal
import tempfile
from contextlib import AbstractContextManager
from pathlib import Path

import ours
import toolchain
from harness import CheckFailed, Report, Server, serving
from harness import run as run_command
from pkis import Pkis

HELLO = r"Hello, world!"

# The C core offers no Ed25519 signatures in TLS, so such an end entity never gets a handshake.
UNSUPPORTED = {"ed25519": "(?i)handshake|socket closed"}


class Examples:
    """The copied programs and the interpreter for them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "python"
        shutil.copytree(toolchain.EXAMPLES, self.folder,
                        ignore=shutil.ignore_patterns("service_pb2*", "__pycache__"))

    def command(self, program: str, pki: Path | None, *arguments: object) -> list:
        """`run_grpc.py PROGRAM …` where the name has no suffix, else the program itself."""
        words = [program] if program.endswith(".py") else ["run_grpc.py", program]
        script = [toolchain.python(), "-B", self.folder / words[0], *words[1:]]
        return [*script, *(["--pki", pki] if pki else []), *map(str, arguments)]

    def server(
        self, program: str, pki: Path, *arguments: object
    ) -> AbstractContextManager[Server]:
        """Serve on a free port."""
        return serving(self.command(program, pki, "--port", 0, *arguments))


def run(report: Report, pkis: Pkis) -> None:
    """TLS, mutual TLS and their twins, each key type, code generation, our own `verify`."""
    toolchain.python()
    with tempfile.TemporaryDirectory(prefix="interop-examples-") as folder:
        programs = Examples(Path(folder))
        check_generation(report, pkis, programs)
        check_tls(report, pkis, programs)
        check_mtls(report, pkis, programs)
        check_key_types(report, pkis, programs)


def check_generation(report: Report, pkis: Pkis, programs: Examples) -> None:
    """run_grpc.py makes the code once, and again only after the proto changed."""
    generate = programs.command("generate", pkis.home)
    generated = programs.folder / "service_pb2.py"
    report.accepts("python: run_grpc.py generates the code at first", generate,
                   says="generated service_pb2.py")

    def unchanged() -> None:
        before = generated.stat().st_mtime_ns
        done = run_command(generate)
        if done.code or done.output or generated.stat().st_mtime_ns != before:
            raise CheckFailed(f"expected nothing to be generated\n{done.summary}")

    report.check("python: run_grpc.py does not generate it again", unchanged)
    (programs.folder / "service.proto").touch()
    report.accepts("python: run_grpc.py generates it again after service.proto changed", generate,
                   says="generated service_pb2.py")
    report.check("python: run_grpc.py does not generate that again", unchanged)


def check_tls(report: Report, pkis: Pkis, programs: Examples) -> None:
    """Through run_grpc.py and directly; a wrong CA and a wrong name are refused."""
    client = programs.command
    for server_program, client_program in (("server", "client"), ("server.py", "client.py")):
        with programs.server(server_program, pkis.home) as server:
            report.accepts(f"python: {client_program} is greeted by {server_program}",
                           client(client_program, pkis.home, "--port", server.port), says=HELLO)
            check_end(report, server, server_program)
    with programs.server("server.py", pkis.home) as server:
        report.accepts("python: client.py finds the folder `pki` where it is started",
                       client("client.py", None, "--port", server.port),
                       says=HELLO, cwd=pkis.home.parent)
        for name in ("foreign", "namesake"):
            report.refuses(f"python: client.py refuses the server, wrong CA [{name}]",
                           client("client.py", getattr(pkis, name), "--port", server.port),
                           says="CERTIFICATE_VERIFY_FAILED")
        ours.trusts(report, pkis, "python server.py", server.port)
        ours.does_not_trust(report, pkis, "python server.py, wrong CA", server.port,
                            ours.CERTIFICATE, pki=pkis.foreign)
    with programs.server("server.py", pkis.home, "--name", "elsewhere") as server:
        report.refuses("python: client.py refuses the server, wrong name",
                       client("client.py", pkis.home, "--port", server.port),
                       says="(?i)hostname verification|peer name localhost is not in")
        ours.does_not_trust(report, pkis, "python server.py, wrong name", server.port,
                            ours.CERTIFICATE)
    with programs.server("server.py", pkis.home, "--name", "orders") as server:
        report.accepts("python: client.py reaches a peer certificate at 127.0.0.1",
                       client("client.py", pkis.home, "--host", "127.0.0.1",
                              "--port", server.port), says=HELLO)
    with programs.server("server.py", pkis.home, "--name", "lure") as server:
        report.refuses("python: client.py refuses a client certificate as the server's",
                       client("client.py", pkis.home, "--port", server.port),
                       says="CERTIFICATE_VERIFY_FAILED")


def check_mtls(report: Report, pkis: Pkis, programs: Examples) -> None:
    """The server says who calls; what is not a client of our CA never gets that far."""
    client = programs.command
    pairs = (("mtls-server", "mtls-client"), ("mtls_server.py", "mtls_client.py"))
    for server_program, client_program in pairs:
        with programs.server(server_program, pkis.home) as server:
            report.accepts(f"python: {client_program} is greeted by {server_program} as alice",
                           client(client_program, pkis.home, "--name", "alice",
                                  "--port", server.port),
                           says=rf"{HELLO} You are alice\.")
            check_end(report, server, server_program)
    with programs.server("mtls_server.py", pkis.home) as server:
        report.accepts("python: a peer is greeted by its names",
                       client("mtls_client.py", pkis.home, "--name", "orders",
                              "--port", server.port),
                       says=rf"{HELLO} You are orders, .*spiffe://example\.test/orders\.")
        strangers = pkis.home.parent / "strangers"
        strangers.mkdir()
        shutil.copy(pkis.home / "ca.crt", strangers)
        for suffix in ("crt", "key"):
            shutil.copy(pkis.foreign / f"alice.{suffix}", strangers / f"foreign.{suffix}")
            shutil.copy(pkis.namesake / f"alice.{suffix}", strangers / f"namesake.{suffix}")
        for reason, command, because in (
            ("no client certificate", client("client.py", pkis.home),
             "PEER_DID_NOT_RETURN_A_CERTIFICATE"),
            ("client of a foreign CA", client("mtls_client.py", strangers, "--name", "foreign"),
             "unable to get local issuer"),
            ("client of a CA of the same name",
             client("mtls_client.py", strangers, "--name", "namesake"),
             "CERTIFICATE_VERIFY_FAILED: (unable to get local|certificate signature)"),
            ("a server's certificate as the client's",
             client("mtls_client.py", pkis.home, "--name", "elsewhere"),
             "unsupported certificate purpose"),
        ):
            check_refused_by_server(report, server, reason, command, because)
        ours.trusts(report, pkis, "python mtls_server.py, as alice", server.port,
                    "--client", "alice")
        ours.does_not_trust(report, pkis, "python mtls_server.py, without a client", server.port,
                            ours.CLIENT_AUTH)


def check_refused_by_server(
    report: Report, server: Server, reason: str, command: list, because: str
) -> None:
    """The client learns little in TLS 1.3, so the cause is read from the server's log."""

    def body() -> None:
        start = len(server.log_text())
        done = run_command([*command, "--port", str(server.port)])
        if done.code == 0 or "UNAVAILABLE" not in done.output:
            raise CheckFailed(f"expected a refusal\n{done.summary}")
        server.log_says(because, start)

    report.check(f"python: mtls_server.py refuses {reason}", body)


def check_end(report: Report, server: Server, program: str) -> None:
    """A server ends by itself, with exit code 0, on Ctrl-C and on SIGTERM."""
    by = signal.SIGINT if program.endswith(".py") else signal.SIGTERM

    def body() -> None:
        if (code := server.end(by)) != 0 or "Traceback" in server.log_text():
            raise CheckFailed(f"{server.log_text()}\n(exit code {code})")

    report.check(f"python: {program} ends on {by.name}", body)


def check_key_types(report: Report, pkis: Pkis, programs: Examples) -> None:
    """Mutual TLS with a CA, a server and a client of each key type."""
    for key, pki in {**pkis.by_key, "ecdsa-p256 of an ed25519 CA": pkis.mixed}.items():
        with programs.server("mtls_server.py", pki) as server:
            command = programs.command("mtls_client.py", pki, "--name", "alice",
                                       "--port", server.port)
            if because := UNSUPPORTED.get(key):
                report.refuses(f"python: does not support this key type, as known [{key}]",
                               command, says=because)
            else:
                report.accepts(f"python: mutual TLS [{key}]", command,
                               says=r"You are spiffe://example\.test/alice\.")
