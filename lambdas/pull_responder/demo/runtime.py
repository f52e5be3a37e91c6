"""Stands in for Lambda's runtime: `python -m pull_responder.demo.runtime` runs a function until its input ends.

Each line of standard input is an invocation, {"handler", "function_arn", "event"}. Each gives one line of standard
output, {"answer", "log"}: what the handler returned, and what it printed, its log and its metrics. Like Lambda, the
process keeps what one invocation has loaded for the next.
"""

from __future__ import annotations

import io
import json
import signal
import sys
import time
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from importlib import import_module
from typing import Final

# The default of the setting timeoutSeconds.
_TIMEOUT_SECONDS: Final = 120


@dataclass(frozen=True, slots=True)
class Context:
    """The context that a handler gets. Source: Lambda Developer Guide, "Using the Lambda context object"."""

    invoked_function_arn: str
    memory_limit_in_mb: int = 1024
    aws_request_id: str = "00000000-0000-0000-0000-000000000000"
    function_version: str = "$LATEST"
    deadline: float = field(default_factory=lambda: time.monotonic() + _TIMEOUT_SECONDS)

    @property
    def function_name(self) -> str:
        """The last part of the function's ARN."""
        return self.invoked_function_arn.rpartition(":")[2]

    def get_remaining_time_in_millis(self) -> int:
        """The time until the function would be stopped."""
        return max(0, round((self.deadline - time.monotonic()) * 1000))


def main() -> None:
    """Invoke the handlers that are asked for. An error that one raises ends the process."""
    # Ctrl-C reaches every process of a terminal. Whoever started this one ends its input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    log = io.StringIO()
    for line in sys.stdin:
        request = json.loads(line)
        module, _, name = request["handler"].rpartition(".")
        with redirect_stdout(log):
            handler = getattr(import_module(module), name)
            answer = handler(request["event"], Context(request["function_arn"]))
        print(json.dumps({"answer": answer, "log": log.getvalue()}), flush=True)  # noqa: T201 -- the answer
        log.seek(0)
        log.truncate()


if __name__ == "__main__":
    main()
