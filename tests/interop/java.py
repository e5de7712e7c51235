"""Java's standard SSLSocket with itself, as server and as client."""

import handshake
import toolchain
from harness import Report
from pkis import Pkis


def run(report: Report, pkis: Pkis) -> None:
    """One process does all handshakes; the source file needs no build."""
    java = toolchain.require("java", "default-jdk-headless")
    handshake.check(report, pkis, "java", [java, toolchain.INTEROP / "java/Handshake.java"])
