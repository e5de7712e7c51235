"""Node: its standard `tls` with itself, and grpc-js with Python's gRPC in both directions."""

import tempfile
from pathlib import Path

import handshake
import ours
import toolchain
from harness import Report, serving
from pkis import Pkis
from python_grpc import HELLO, Examples

PROTO = toolchain.EXAMPLES / "service.proto"


def run(report: Report, pkis: Pkis) -> None:
    """The standard library needs no packages, so it comes first."""
    node = toolchain.require("node", "nodejs")
    handshake.check(report, pkis, "node", [node, toolchain.INTEROP / "node/tls.js"])
    modules = toolchain.node_modules()
    toolchain.python()
    grpc_js = ["env", f"NODE_PATH={modules}", node, toolchain.INTEROP / "node/grpc.js"]
    with tempfile.TemporaryDirectory(prefix="interop-examples-") as folder:
        programs = Examples(Path(folder))
        check_client(report, pkis, programs, grpc_js)
        check_server(report, pkis, programs, grpc_js)


def check_client(report: Report, pkis: Pkis, programs: Examples, grpc_js: list) -> None:
    """grpc-js calls the Python servers."""

    def client(pki: Path, name: str, port: int) -> list:
        return [*grpc_js, "client", PROTO, pki, name, f"localhost:{port}"]

    with programs.server("server", pkis.home) as server:
        report.accepts("node: grpc-js client is greeted by python server",
                       client(pkis.home, "-", server.port), says=HELLO)
        for name in ("foreign", "namesake"):
            report.refuses(f"node: grpc-js client refuses python server, wrong CA [{name}]",
                           client(getattr(pkis, name), "-", server.port),
                           says="unable to verify|certificate signature failure")
    with programs.server("server", pkis.home, "--name", "elsewhere") as server:
        report.refuses("node: grpc-js client refuses python server, wrong name",
                       client(pkis.home, "-", server.port), says="altnames")
    with programs.server("mtls-server", pkis.home) as server:
        report.accepts("node: grpc-js client is greeted by python mtls-server as alice",
                       client(pkis.home, "alice", server.port), says=r"You are alice\.")
        report.refuses("node: grpc-js client without a certificate is refused by mtls-server",
                       client(pkis.home, "-", server.port), says="error: 14")


def check_server(report: Report, pkis: Pkis, programs: Examples, grpc_js: list) -> None:
    """Python's clients, and our `verify`, call a grpc-js server."""
    client = programs.command
    with serving([*grpc_js, "server", PROTO, pkis.home, "server"]) as server:
        report.accepts("node: python client is greeted by grpc-js server",
                       client("client", pkis.home, "--port", server.port), says=HELLO)
        report.refuses("node: python client refuses grpc-js server, wrong CA",
                       client("client", pkis.foreign, "--port", server.port),
                       says="CERTIFICATE_VERIFY_FAILED")
        ours.trusts(report, pkis, "grpc-js server", server.port)
    with serving([*grpc_js, "server", PROTO, pkis.home, "server", "mtls"]) as server:
        report.accepts("node: python mtls-client is greeted by grpc-js server as alice",
                       client("mtls-client", pkis.home, "--name", "alice", "--port", server.port),
                       says=r"You are alice\.")
        report.refuses("node: python client without a certificate is refused by grpc-js server",
                       client("client", pkis.home, "--port", server.port), says="UNAVAILABLE")
        ours.trusts(report, pkis, "grpc-js server, as alice", server.port, "--client", "alice")
        ours.does_not_trust(report, pkis, "grpc-js server, without a client", server.port,
                            ours.CLIENT_AUTH)
