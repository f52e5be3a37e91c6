"""How much of the stream of members' audit logs failing pods fill, by the records that CloudWatch Logs would put there.

The function `audit_log` is not run here. Assumed, as AWS documents no number: CloudWatch Logs sends what the filter
matches once a second from each log group, as one gzipped record (CloudWatch Logs User Guide, "Log group-level
subscription filters").
"""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path
from typing import Final

_RECORD: Final = Path(__file__).parents[1] / "tests" / "events" / "audit_record.json"


def megabytes_a_second(clusters: int, pods: int) -> float:
    """Return the megabytes that `clusters` put a second if `pods` of each get a status of a failed pull in it."""
    return clusters * len(_batch(pods)) / 1e6


def _batch(pods: int) -> bytes:
    """Return one record of the stream: the statuses of so many pods of one cluster."""
    chance = random.Random(pods)  # noqa: S311 -- the same names each time
    text = json.dumps(json.loads(_RECORD.read_text()))
    events = []
    for each in range(pods):
        name = f"web-7c9d8b5f6-{chance.randrange(16**5):05x}"
        events.append(
            {"id": f"{each:056}", "timestamp": 1772366400000, "message": text.replace("web-7c9d8b5f6-x2x9k", name)}
        )
    document = {
        "messageType": "DATA_MESSAGE",
        "owner": "300000000000",
        "logGroup": "/aws/eks/cluster-0/cluster",
        "logStream": "kube-apiserver-audit-0123456789abcdef0123456789abcdef",
        "subscriptionFilters": ["PullResponder-us-east-1"],
        "logEvents": events,
    }
    return gzip.compress(json.dumps(document).encode())
