"""Runs kubectl: an argument vector and no shell, nothing on its standard input, and bounds on time and output.

kubectl finds its configuration by itself (KUBECONFIG, else ~/.kube/config), and gets its credentials by itself.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import threading
import time
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Final

from pull_responder.events import fields
from pull_responder.events.json_text import read_json
from pull_responder.events.outcome import UnusableEvent
from pull_responder.events.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Mapping

SECONDS: Final = 30
"""How long one call may take: kubectl may first have to sign in."""

OUTPUT_LIMIT: Final = 256 * 1024 * 1024
MOST_VALUES: Final = 10_000_000
_ERROR_LIMIT: Final = 65_536
# What kubectl prints on standard error beside its errors.
_NO_ERROR: Final = re.compile(r"(?:Warning: |[WIE][0-9]{4} |$)")


@dataclass(frozen=True, slots=True)
class Refused:
    """Why kubectl did not answer, in its own words, as one line.

    - `is_forbidden`: the API server does not let this user read that.
    - `is_missing`: there is no such thing.
    """

    reason: str
    is_forbidden: bool = False
    is_missing: bool = False


class KubectlMissing(Exception):  # noqa: N818 -- it is no error of ours
    """kubectl is not installed."""


@dataclass(frozen=True, slots=True)
class Kubectl:
    """kubectl with one context; None is the current one."""

    path: str
    context: str | None = None

    @classmethod
    def find(cls, context: str | None = None) -> Kubectl:
        """Return the kubectl of the PATH. Raises KubectlMissing."""
        path = shutil.which("kubectl")
        if path is None:
            raise KubectlMissing
        return cls(path, context)

    def ask(self, *arguments: str) -> Mapping[str, Any] | Refused:
        """Return the object that kubectl prints for these arguments, or why it prints none."""
        command = [self.path, *arguments, "-o", "json"]
        if self.context is not None:
            command.append(f"--context={self.context}")
        out, said, status = _run([*command, f"--request-timeout={SECONDS - 5}s"])
        if status is None:
            return Refused(f"it did not answer within {SECONDS} s")
        if len(out) > OUTPUT_LIMIT:
            return Refused(f"it printed more than {OUTPUT_LIMIT >> 20} MiB: ask for one namespace")
        if status != 0:
            return _refused(said)
        if not out.strip():  # so it answers with --ignore-not-found
            return Refused("it printed nothing", is_missing=True)
        try:
            document = read_json(out.decode(), where="what it printed", most=MOST_VALUES)
        except (UnicodeDecodeError, UnusableEvent) as error:
            return Refused(redact(str(error), limit=200))
        return document if isinstance(document, dict) else Refused(f"it printed {fields.kind(document)}")


def _run(command: list[str]) -> tuple[bytes, str, int | None]:
    """Return what a command prints, its errors and its exit status, None where it took too long."""
    try:
        process = subprocess.Popen(  # noqa: S603 -- a vector of arguments; names in it were checked
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
    except OSError as error:
        return b"", f"error: {error.strerror or error}", 1
    out: list[bytes] = []
    said: list[bytes] = []
    # What kubectl starts, or what starts it, may outlive it and hold its outputs open: nobody waits for that.
    readers = [
        threading.Thread(target=_read_output, args=(process, out), daemon=True),
        threading.Thread(target=_read_errors, args=(process.stderr, said), daemon=True),
    ]
    for each in readers:
        each.start()
    deadline = time.monotonic() + SECONDS
    readers[0].join(SECONDS)
    try:
        status = process.wait(0 if readers[0].is_alive() else max(deadline - time.monotonic(), 0.1))
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        status = None
    if readers[0].is_alive():
        status = None
    readers[1].join(timeout=1)
    return b"".join(out), b"".join(said).decode(errors="replace"), status


def _read_output(process: subprocess.Popen[bytes], out: list[bytes]) -> None:
    if process.stdout is None:
        return
    out.append(process.stdout.read(OUTPUT_LIMIT + 1))
    if len(out[0]) > OUTPUT_LIMIT:
        process.kill()


def _read_errors(stream: IO[bytes] | None, said: list[bytes]) -> None:
    if stream is None:
        return
    kept = 0
    while part := stream.readline(_ERROR_LIMIT):
        if kept < _ERROR_LIMIT:
            said.append(part[: _ERROR_LIMIT - kept])
            kept += len(part)


def _refused(said: str) -> Refused:
    """Return kubectl's error as one line: the last one, as the ones before it are attempts and warnings."""
    lines = [line.strip() for line in said.splitlines() if line.strip() and not _NO_ERROR.match(line)]
    told = next((line for line in lines if "(Forbidden)" in line or "(NotFound)" in line), None)
    # What signs in explains itself before kubectl says that it failed.
    before = [line for line in lines[:-1] if "exec: executable" in lines[-1] and "exec: executable" not in line]
    line = told or ": ".join([*before[-1:], *lines[-1:]]) or "it ended with an error and did not say which"
    return Refused(redact(line, limit=400), "(Forbidden)" in line, "(NotFound)" in line)
