"""Go's standard crypto/tls with itself, as server and as client."""

import handshake
import toolchain
from harness import Report
from pkis import Pkis


def run(report: Report, pkis: Pkis) -> None:
    """One process does all handshakes."""
    handshake.check(report, pkis, "go", [toolchain.go_program()])
