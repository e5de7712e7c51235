"""Where the tools come from: our binary, a virtual environment, node modules, Debian packages.

Everything is kept under target/interop and made again only when what it was made from changes.
"""

import functools
import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from harness import NotRun

ROOT = Path(__file__).resolve().parents[2]
INTEROP = ROOT / "tests/interop"
EXAMPLES = ROOT / "examples/python"
KEPT = ROOT / "target/interop"


def grpc_pki() -> Path:
    """The binary under test."""
    if given := os.environ.get("GRPC_PKI_BIN"):
        binary = Path(given).resolve()
    else:
        if not shutil.which("cargo"):
            sys.exit("error: no `cargo` to build grpc-pki with\n"
                     "hint: name a built binary in GRPC_PKI_BIN")
        # Also when the binary exists: an old one would be tested in place of the source.
        build = ["cargo", "build", "--release", "--quiet"]
        if subprocess.run(build, cwd=ROOT, check=False).returncode != 0:
            sys.exit("error: `cargo build --release` stopped, so there is no binary to test")
        target = ROOT / os.environ.get("CARGO_TARGET_DIR", "target")
        binary = target / "release/grpc-pki"
    if not os.access(binary, os.X_OK):
        sys.exit(f"error: {binary} is not a program")
    return binary


@functools.cache
def python() -> Path:
    """The interpreter of a virtual environment with the requirements."""
    folder = KEPT / "venv"
    requirements = [EXAMPLES / "requirements.txt", INTEROP / "requirements.txt"]
    if _is_stale(folder, sys.version, *(file.read_text() for file in requirements)):
        venv.create(folder, clear=True, with_pip=True)
        _install([folder / "bin/python", "-m", "pip", "install", "--quiet",
                  "--disable-pip-version-check",
                  *(word for file in requirements for word in ("--requirement", file))])
        _mark_current(folder, sys.version, *(file.read_text() for file in requirements))
    return folder / "bin/python"


@functools.cache
def node_modules() -> Path:
    """The node_modules folder with the packages of tests/interop/node/package.json."""
    folder = KEPT / "node"
    manifest = INTEROP / "node/package.json"
    require("npm", "npm")
    if _is_stale(folder, manifest.read_text()):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        shutil.copy(manifest, folder)
        _install(["npm", "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts"],
                 cwd=folder)
        _mark_current(folder, manifest.read_text())
    return folder / "node_modules"


def go_program() -> Path:
    """tests/interop/go/main.go, built with the standard library only."""
    return _go("handshake", "go/main.go")


def go_dial() -> Path:
    """tests/interop/go/dial/main.go, built likewise."""
    return _go("dial", "go/dial/main.go")


@functools.cache
def _go(name: str, source: str) -> Path:
    require("go", "golang-go")
    program = KEPT / "go" / name
    environment = {
        **os.environ,
        "GO111MODULE": "off",
        "GOCACHE": str(KEPT / "go/cache"),
        "GOFLAGS": "",
        "GOPROXY": "off",
        "GOTOOLCHAIN": "local",
    }
    _install(["go", "build", "-o", program, INTEROP / source], env=environment)
    return program


@functools.cache
def require(command: str, package: str) -> str:
    """The path of a command; a missing one comes from the Debian package when we are root."""
    if not shutil.which(command):
        if os.getuid() != 0 or not shutil.which("apt-get"):
            raise NotRun(f"`{command}` is not installed (Debian: {package})")
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for arguments in (["update"], ["install", "--yes", "--no-install-recommends", package]):
            _install(["apt-get", "--quiet", "--quiet", *arguments], env=environment)
    if not (path := shutil.which(command)):
        raise NotRun(f"`{command}` is not in the Debian package {package}")
    return path


def _install(command: list, **options) -> None:
    """Run a set-up step; when it stops, its part is `not run` and the last line is the reason."""
    done = subprocess.run([str(word) for word in command], check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode != 0:
        reason = (done.stdout.strip().splitlines() or ["no output"])[-1]
        raise NotRun(f"`{' '.join(str(word) for word in command[:4])} …` stopped: {reason}")


def _is_stale(folder: Path, *sources: str) -> bool:
    mark = folder / ".made-from"
    return not mark.exists() or mark.read_text() != _digest(*sources)


def _mark_current(folder: Path, *sources: str) -> None:
    (folder / ".made-from").write_text(_digest(*sources))


def _digest(*sources: str) -> str:
    return hashlib.sha256("\0".join(sources).encode()).hexdigest()
