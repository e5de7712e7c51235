"""Our own `grpc-pki verify` against the servers of the other stacks."""

from pathlib import Path

from harness import Report
from pkis import Pkis

CERTIFICATE, CLIENT_AUTH = 13, 15
"""The exit codes for a certificate problem and for a refused client."""


def trusts(report: Report, pkis: Pkis, name: str, port: int, *options: str) -> None:
    """`verify` and the server's own clients agree that all is well."""
    report.accepts(f"grpc-pki: verify trusts {name}", command(pkis, pkis.home, port, *options))


def does_not_trust(
    report: Report, pkis: Pkis, name: str, port: int, code: int, pki: Path | None = None
) -> None:
    """`verify` ends with the exit code of the stage that fails."""
    report.refuses(f"grpc-pki: verify does not trust {name} (exit code {code})",
                   command(pkis, pki or pkis.home, port), code=code)


def command(pkis: Pkis, pki: Path, port: int, *options: str) -> list:
    return [pkis.binary, "verify", f"localhost:{port}", "--pki", pki, *options]
