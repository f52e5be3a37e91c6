"""Measures the process of the function `diagnose`, warm above all: `python -m bench.function`.

bench/cold_start.py measures its start, with what is packaged. Here, the function runs in its own process, with
the credentials of its role, against an emulated AWS on this machine. So the time is mostly this machine's processor
time, and hardly any network time.
"""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pull_responder.demo import estate as estates
from pull_responder.demo.breaks import BREAKS
from pull_responder.demo.cloudtrail_record import denied_pull
from pull_responder.demo.function import deploy
from pull_responder.demo.image_pull import pull
from pull_responder.demo.shell import run
from pull_responder.emulator.emulated_aws import emulated_aws
from pull_responder.emulator.findings_table import create_table
from pull_responder.remediation.shell import render

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pull_responder.emulator.emulated_aws import EmulatedAws

_RUNS = 5
_PROCESS = """
import contextlib, io, json, resource, sys, time
started = time.perf_counter()
with contextlib.redirect_stdout(io.StringIO()):
    from pull_responder.demo.runtime import Context
    from pull_responder.handlers.diagnose import handler
imported = time.perf_counter()
batches = json.load(sys.stdin)
seconds = []
arn = "arn:aws:lambda:us-east-1:123456789012:function:bench"
for batch in batches:
    before = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        answer = handler(batch, Context(arn))
    assert answer == {"batchItemFailures": []}, answer
    seconds.append(time.perf_counter() - before)
usage = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps({"import": imported - started, "batches": seconds, "cpu": usage.ru_utime + usage.ru_stime}))
"""


def _batch(events: Sequence[dict[str, Any]]) -> dict[str, Any]:
    record = {
        "receiptHandle": "bench",
        "eventSource": "aws:sqs",
        "attributes": {"ApproximateReceiveCount": "1"},
        "messageAttributes": {},
    }
    return {"Records": [record | {"messageId": event["id"], "body": json.dumps(event)} for event in events]}


def _forget(aws: EmulatedAws) -> None:
    """Empty the table, so that the next process meets a new problem."""
    client = aws.client("dynamodb")
    client.delete_table(TableName=estates.TABLE)
    create_table(client, estates.TABLE)


def main() -> None:
    """Break the first pull of the demo's estate. Give each process 1 event of it, then 1 more, then 25 in one batch."""
    with emulated_aws() as aws:
        estate = estates.build(aws)
        broken = BREAKS[0]
        node = estate.nodes[broken.node_group][0]
        run(aws, render(broken.command), account=broken.account)
        refused = pull(estate, node, broken.image)
        now = datetime.now(UTC)
        events = [denied_pull(node, broken.image, refused, broken.policy_type, now=now) for _ in range(27)]
        batches = json.dumps([_batch(events[:1]), _batch(events[1:2]), _batch(events[2:])])
        environment = dict(deploy(estate, "diagnose").environment)
        measured = []
        for _ in range(_RUNS):
            _forget(aws)
            done = subprocess.run(  # noqa: S603 -- this interpreter, with the program above
                [sys.executable, "-c", _PROCESS],
                input=batches,
                env=environment,
                capture_output=True,
                text=True,
                check=True,
            )
            measured.append(json.loads(done.stdout))
    middle = sorted(measured, key=lambda each: each["batches"][0])[_RUNS // 2]
    cold, warm, many = middle["batches"]
    sys.stdout.write(
        f"The function, median of {_RUNS} processes on this machine:\n"
        f"  import                       {middle['import']:6.2f} s\n"
        f"  a new failure, diagnosed     {cold:6.2f} s\n"
        f"  the same failure again       {warm * 1000:6.0f} ms\n"
        f"  25 times in one batch        {many * 1000:6.0f} ms\n"
        f"  processor time of all        {middle['cpu']:6.2f} s\n"
    )


if __name__ == "__main__":
    main()
