"""What every part uses: the report, commands that must succeed or be refused, and servers.

A part states what it expects with `Report.accepts` and `Report.refuses`. A refusal must also say
the expected cause, so that a twin cannot pass because of a missing file or a closed port.
"""

import contextlib
import queue
import re
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

DEADLINE = 30.0
"""Seconds any one command or wait may take; only a hang gets near it."""


class CheckFailed(Exception):
    """A check's answer was not the expected one; its text is what was captured."""


class NotRun(Exception):
    """A part cannot run here; its text is the reason."""


@dataclass
class Finished:
    """A command that ended."""

    code: int
    output: str

    @property
    def summary(self) -> str:
        return f"{self.output.rstrip()}\n(exit code {self.code})"


def run(command: Sequence[str | Path], **options) -> Finished:
    """Run a command to its end and keep what it wrote to both streams."""
    try:
        done = subprocess.run(
            [str(word) for word in command],
            check=False,
            stdin=None if "input" in options else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=DEADLINE,
            **options,
        )
    except subprocess.TimeoutExpired as expired:
        written = expired.output or b""
        written = written.decode(errors="replace") if isinstance(written, bytes) else written
        raise CheckFailed(f"{written}\n(no end within {expired.timeout:.0f} s)") from None
    return Finished(done.returncode, done.stdout)


@dataclass
class Report:
    """Prints one line per check and counts them."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def check(self, name: str, body: Callable[[], None]) -> bool:
        """Run `body`, which raises `CheckFailed` unless all is as expected."""
        try:
            body()
        except CheckFailed as failure:
            self.fail(name, str(failure))
            return False
        self.passed += 1
        print(f"ok   {name}", flush=True)
        return True

    def accepts(
        self, name: str, command: Sequence[str | Path], says: str = "", cwd: Path | None = None
    ) -> bool:
        """The command succeeds and its output matches `says`."""

        def body() -> None:
            done = run(command, cwd=cwd)
            if done.code != 0 or not re.search(says, done.output):
                raise CheckFailed(f"expected success saying {says!r}\n{done.summary}")

        return self.check(name, body)

    def refuses(
        self, name: str, command: Sequence[str | Path], says: str = "", code: int | None = None
    ) -> bool:
        """The command fails for the expected cause: its output matches `says`, or `code` is its
        exit code.
        """
        assert says or code, "a refusal for any cause proves nothing"

        def body() -> None:
            done = run(command)
            right_code = done.code != 0 if code is None else done.code == code
            if not (right_code and re.search(says, done.output)):
                wanted = f"with exit code {code}" if code else f"saying {says!r}"
                raise CheckFailed(f"expected a refusal {wanted}\n{done.summary}")

        return self.check(name, body)

    def fail(self, name: str, captured: str) -> None:
        """List a failure with what was captured."""
        self.failed += 1
        print(f"FAIL {name}", *(f"     | {line}" for line in captured.splitlines()),
              sep="\n", flush=True)

    def not_run(self, name: str, reason: str) -> None:
        """List a check that cannot run here."""
        self.skipped += 1
        print(f"not run {name}: {reason}", flush=True)

    def finish(self, strict: bool) -> int:
        """Print the count; the exit code is 1 on a failure, or on a skip when `strict`."""
        print(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped", flush=True)
        return int(self.failed > 0 or (strict and self.skipped > 0))


@dataclass
class Server:
    """A running server that has said which port it is on."""

    process: subprocess.Popen
    port: int
    log: Path

    def log_says(self, pattern: str, start: int = 0) -> None:
        """Wait until the server's log matches `pattern` at or after the octet `start`."""
        end = time.monotonic() + 5
        while not re.search(pattern, text := self.log_text()[start:]):
            if time.monotonic() > end:
                raise CheckFailed(f"expected the server to log {pattern!r}, it logged:\n{text}")
            time.sleep(0.01)  # between two looks at the file, never instead of one

    def log_text(self) -> str:
        return self.log.read_text(encoding="latin-1")

    def end(self, by: int) -> int:
        """Send the signal `by` and return the exit code."""
        self.process.send_signal(by)
        try:
            return self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            raise CheckFailed(f"still running 10 s after signal {by}") from None


@contextlib.contextmanager
def serving(command: Sequence[str | Path], **options) -> Iterator[Server]:
    """Start a server, wait for its `… port N` line, and end it on the way out."""
    with tempfile.NamedTemporaryFile(prefix="interop-server-") as log:
        process = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            **options,
        )
        try:
            log_path = Path(log.name)
            yield Server(process, _announced_port(process, log_path), log_path)
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            process.stdout.close()


def _announced_port(process: subprocess.Popen, log: Path) -> int:
    """The port in the first line the server writes."""
    lines: queue.Queue[str] = queue.Queue()
    threading.Thread(target=lambda: lines.put(process.stdout.readline()), daemon=True).start()
    with contextlib.suppress(queue.Empty):
        line = lines.get(timeout=DEADLINE)
        if found := re.search(r"port (\d+)$", line):
            return int(found[1])
    raise CheckFailed(f"the server did not say its port:\n{log.read_text(errors='replace')}")
