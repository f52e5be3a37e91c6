"""Audit records as CloudWatch Logs delivers them, built from one fixture."""

from __future__ import annotations

import base64
import copy
import gzip
import json
from pathlib import Path
from typing import Any

EVENTS = Path(__file__).parents[2] / "events"
RECORD: dict[str, Any] = json.loads((EVENTS / "audit_record.json").read_text())
REGISTRY = "111111111111.dkr.ecr.us-east-1.amazonaws.com"
IMAGE = f"{REGISTRY}/shop/web:v1.4.2"


def record(*containers: dict[str, Any], **changed: Any) -> dict[str, Any]:  # noqa: ANN401 -- JSON
    """The fixture with other fields, and other containers where some are given."""
    made = {**copy.deepcopy(RECORD), **changed}
    if containers:
        made["requestObject"]["status"]["containerStatuses"] = list(containers)
    return made


def container(image: str = IMAGE, *, message: str | None = None, reason: str = "ErrImagePull") -> dict[str, Any]:
    if message is None:
        message = f'failed to resolve reference "{image}": pulling from host h failed with status code 403 Forbidden'
    return {"name": "web", "image": image, "state": {"waiting": {"message": message, "reason": reason}}}


def document(*records: dict[str, Any] | str, **changed: Any) -> dict[str, Any]:  # noqa: ANN401 -- JSON
    messages = [each if isinstance(each, str) else json.dumps(each) for each in records]
    return {
        "messageType": "DATA_MESSAGE",
        "owner": "111111111111",
        "logGroup": "/aws/eks/prod/cluster",
        "logStream": "kube-apiserver-audit-0123456789abcdef",
        "subscriptionFilters": ["pull-responder"],
        "logEvents": [{"id": str(at), "timestamp": 1772366400000, "message": each} for at, each in enumerate(messages)],
        **changed,
    }


def packed(text: bytes) -> dict[str, Any]:
    return {"awslogs": {"data": base64.b64encode(text).decode()}}


def delivered(*records: dict[str, Any] | str, **changed: Any) -> dict[str, Any]:  # noqa: ANN401 -- JSON
    return packed(gzip.compress(json.dumps(document(*records, **changed)).encode()))


def stream_record(*records: dict[str, Any] | str, number: int = 1, **changed: Any) -> dict[str, Any]:  # noqa: ANN401 -- JSON
    """A record of a Kinesis stream, as Lambda hands it to a function, with a batch of a member's cluster."""
    member = {"owner": "222222222222", "subscriptionFilters": ["PullResponder-eu-west-1"]}
    text = json.dumps(document(*records, **{**member, **changed})).encode()
    return {
        "kinesis": {
            "kinesisSchemaVersion": "1.0",
            "partitionKey": "0123456789abcdef0123456789abcdef",
            "sequenceNumber": f"4959033827149025660855969253836157109592157598913658{number:04}",
            "data": base64.b64encode(gzip.compress(text)).decode(),
            "approximateArrivalTimestamp": 1772366400.0,
        },
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventName": "aws:kinesis:record",
        "eventSourceARN": "arn:aws:kinesis:us-east-1:111111111111:stream/pull-responder-audit-logs",
    }
