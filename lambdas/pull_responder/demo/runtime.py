"""Stands in for Lambda's runtime: `python -m pull_responder.demo.runtime` invokes a handler once.

Reads {"handler", "function_arn", "event"} from standard input and writes the handler's answer to standard output. What
the handler itself prints, its log and its metrics, goes to standard error.
"""

from __future__ import annotations

import json
import sys
import time
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from importlib import import_module
from typing import Final

# The default of timeoutSeconds in cdk.json.
_TIMEOUT_SECONDS: Final = 120


@dataclass(frozen=True, slots=True)
class Context:
    """The context that a handler gets. Source: Lambda Developer Guide, "Using the Lambda context object"."""

    invoked_function_arn: str
    memory_limit_in_mb: int = 512
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
    """Invoke the handler with the name `package.module.function`. An error that it raises ends the process."""
    request = json.load(sys.stdin)
    module, _, name = request["handler"].rpartition(".")
    with redirect_stdout(sys.stderr):
        handler = getattr(import_module(module), name)
        answer = handler(request["event"], Context(request["function_arn"]))
    json.dump(answer, sys.stdout)


if __name__ == "__main__":
    main()
