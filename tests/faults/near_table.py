"""The findings table of the campaign: ministack's DynamoDB, called in this process.

Half of a run's calls are for the table. Over HTTP, most of a run's time went into carrying them. The permissions of
the table are not enforced here; the tests of the demo and of the template hold those.
"""

from __future__ import annotations

import os
import threading
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import botocore

from pull_responder.emulator.emulated_aws import ACCOUNT, REGION
from pull_responder.emulator.findings_table import create_table
from tests.faults.answer import answer

if TYPE_CHECKING:
    from botocore.awsrequest import AWSResponse

    from pull_responder.emulator.emulated_aws import EmulatedAws

NAME: Final = "pull-responder-findings"


def leave_unsigned(client: Any) -> None:  # noqa: ANN401 -- botocore's own object
    """Send requests for the table without a signature, which nobody here looks at."""
    client.meta.events.register("choose-signer.dynamodb", lambda **_: botocore.UNSIGNED)


class NearTable:
    """The table, empty at first. Safe to use from several threads."""

    def __init__(self, aws: EmulatedAws) -> None:
        # Its settings are read when it is imported.
        os.environ.setdefault("STATE_DIR", os.devnull)
        self._dynamodb = import_module("ministack.services.dynamodb")
        self._scope = import_module("ministack.core.responses").request_scope
        self._lock = threading.Lock()
        self._client = aws.client("dynamodb")
        self._client.meta.events.register("before-send", lambda request, **_: self.send(request))
        leave_unsigned(self._client)
        create_table(self._client, NAME)

    def send(self, request: Any) -> AWSResponse:  # noqa: ANN401 -- botocore's own object
        """Send a request of the SDK, and return the answer."""
        given = {
            name.lower(): value.decode() if isinstance(value, bytes) else str(value)
            for name, value in request.headers.items()
        }
        with self._lock, self._scope(ACCOUNT, REGION):
            coroutine = self._dynamodb.handle_request("POST", "/", given, request.body, {})
            try:
                coroutine.send(None)
            except StopIteration as ended:
                status, answered, text = ended.value
            else:
                raise AssertionError("ministack's DynamoDB waits for something")
        return answer(request.url, status, answered.items(), text if isinstance(text, bytes) else text.encode())

    def items(self) -> list[dict[str, Any]]:
        """Return the items, which are not to be changed. Asked after each minute, so without a request."""
        with self._lock, self._scope(ACCOUNT, REGION):
            by_key: dict[str, dict[str, dict[str, Any]]] = self._dynamodb._tables[NAME]["items"]
            return [item for _, by_range in sorted(by_key.items()) for item in by_range.values()]

    def clear(self) -> None:
        """Delete the items."""
        for item in self.items():
            self._client.delete_item(TableName=NAME, Key={"id": item["id"]})
