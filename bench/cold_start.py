"""Measures the cold start of the function `diagnose`, from its packaged code: `python -m bench.cold_start`.

The defaults of memorySize and timeoutSeconds in cdk.json are based on it. Processes take turns, each with nothing but
deployed code and its layer, by the Python that the functions run on where this machine has one:

- the function: it imports its handler and handles its first event, a failure that it has not met before. It makes its
  clients, diagnoses, and has written the finding to the table, to Security Hub and to SNS when it ends.
- the same over TLS, as on Lambda, with as many authorities as the SDK has.
- the SDK: it imports boto3 and makes the same clients, each in a session like the function's. Once it is the SDK as pip
  installs it, compiled, and once that of the layer.

The emulated AWS has processes of its own, so what it takes is in the elapsed time alone. The processor time is that of
the whole process, its start included. Its goal is at most 1.5 times that of the SDK as pip installs it.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bench.tls_front import behind_tls
from infra.dependency_layer import build_layer
from infra.function_code import build_code
from infra.runtime_python import find_runtime_python
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
    from collections.abc import Mapping

    from pull_responder.demo.estate import DemoEstate
    from pull_responder.emulator.emulated_aws import EmulatedAws

_RUNS: Final = 15
_GOAL: Final = 1.5
_FULL_PROCESSOR: Final = 1769
"""With so many MB, Lambda gives a function one whole processor: Lambda Developer Guide, "Configure function memory"."""
_MEMORY: Final = (256, 512, 1024, 1769)
_OURS: Final = "the function, its first event settled"
_OVER_TLS: Final = "the same over TLS"
_INSTALLED: Final = "boto3 as installed, the same clients"
_CUT: Final = "boto3 of the layer, the same clients"

# What each process prints last. The most memory is 0 where the system does not tell it as Linux does: ru_maxrss would
# be that of the process which started this one, where that had more.
_REPORT: Final = """
usage = resource.getrusage(resource.RUSAGE_SELF)
try:
    kilobytes = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
except OSError:
    kilobytes = 0
print(json.dumps({"cpu": usage.ru_utime + usage.ru_stime, "elapsed": time.perf_counter() - started,
                  "imported": imported, "megabytes": kilobytes / 1024, "made": made}))
"""
_FUNCTION: Final = """
import json, resource, sys, time
started = time.perf_counter()
given = json.load(sys.stdin)
made, out, sys.stdout = [], sys.stdout, sys.stderr
if given["watch"]:
    import boto3
    sessions, make = {}, boto3.session.Session.client
    def client(session, service, region_name=None, **options):
        made.append((sessions.setdefault(id(session), len(sessions)), service, region_name))
        return make(session, service, region_name=region_name, **options)
    boto3.session.Session.client = client
from pull_responder.handlers.diagnose import handler
imported = time.process_time()
class Context:
    invoked_function_arn = "arn:aws:lambda:us-east-1:123456789012:function:bench"
    function_name, function_version, memory_limit_in_mb, aws_request_id = "bench", "$LATEST", 512, "bench"
    def get_remaining_time_in_millis(self):
        return round((120 + started - time.perf_counter()) * 1000)
answer = handler(given["event"], Context())
assert answer == {"batchItemFailures": []}, answer
sys.stdout = out
"""
_SDK: Final = """
import json, resource, sys, time
started = time.perf_counter()
made = json.load(sys.stdin)
import boto3
imported = time.process_time()
sessions = {}
for session, service, region in made:
    if session not in sessions:
        sessions[session] = boto3.session.Session()
    sessions[session].client(service, region_name=region)
"""


@dataclass(frozen=True, slots=True)
class _Process:
    """A kind of process: its program, and what it has: the functions' code, a layer, and an environment."""

    program: str
    code: Path
    layer: Path
    environment: Mapping[str, str]

    def run(self, python: Path, given: object) -> dict[str, Any]:
        """Run it as Lambda would, and return what it measured."""
        done = subprocess.run(  # noqa: S603 -- a Python of this machine, with one of the programs above
            [str(python), "-S", "-c", self.program + _REPORT],
            input=json.dumps(given),
            env={
                **self.environment,
                # Lambda cannot keep what it compiles.
                "PYTHONDONTWRITEBYTECODE": "1",
                "PYTHONPATH": f"{self.code}{os.pathsep}{self.layer / 'python'}",
            },
            capture_output=True,
            text=True,
            check=True,
        )
        measured: dict[str, Any] = json.loads(done.stdout)
        return measured

    def megabytes(self) -> float:
        """Return what Lambda counts for its limit: the size of code and layer, unzipped."""
        files = (each for folder in (self.code, self.layer) for each in folder.rglob("*") if each.is_file())
        return sum(each.stat().st_size for each in files) / 1e6


def _forget(aws: EmulatedAws) -> None:
    """Empty the table, so that the next process meets a new problem."""
    client = aws.client("dynamodb")
    client.delete_table(TableName=estates.TABLE)
    create_table(client, estates.TABLE)


def _check_settled(aws: EmulatedAws, inbox_url: str) -> None:
    """Raise AssertionError unless the finding is in the table and in Security Hub, and SNS has sent the message."""
    cause = BREAKS[0].cause
    items = aws.client("dynamodb").scan(TableName=estates.TABLE)["Items"]
    findings = aws.client("securityhub").get_findings()["Findings"]
    messages = aws.client("sqs").receive_message(QueueUrl=inbox_url, MaxNumberOfMessages=10).get("Messages", [])
    places = {"table": items, "Security Hub": findings, "SNS": messages}
    missing = [place for place, content in places.items() if cause not in json.dumps(content, default=str)]
    assert not missing, f"{cause} is not in {', '.join(missing)}"  # noqa: S101 -- what this page promises
    aws.client("sqs").purge_queue(QueueUrl=inbox_url)


def _measure(python: Path, processes: Mapping[str, _Process], estate: DemoEstate) -> dict[str, list[dict[str, Any]]]:
    """Return what each run of each process took. The first one's clients are those that the SDK alone makes."""
    aws = estate.aws
    broken = BREAKS[0]
    node = estate.nodes[broken.node_group][0]
    run(aws, render(broken.command), account=broken.account)
    refused = pull(estate, node, broken.image)
    event = denied_pull(node, broken.image, refused, broken.policy_type, now=datetime.now(UTC))
    record = {"messageId": event["id"], "body": json.dumps(event), "eventSource": "aws:sqs"}
    given = {"event": {"Records": [record]}, "watch": False}
    made = processes[_OURS].run(python, {**given, "watch": True})["made"]
    _check_settled(aws, estate.inbox_url)
    taken: dict[str, list[dict[str, Any]]] = {name: [] for name in processes}
    for _ in range(_RUNS):
        for name, process in processes.items():
            if process.program == _SDK:
                taken[name].append(process.run(python, made))
            else:
                _forget(aws)
                taken[name].append(process.run(python, given))
                _check_settled(aws, estate.inbox_url)
    return taken


def _median(runs: list[dict[str, Any]], key: str) -> float:
    return float(statistics.median(each[key] for each in runs))


def _ratio(ours: list[dict[str, Any]], theirs: list[dict[str, Any]]) -> float:
    """Return how much more processor time ours take: the median of pairs that ran one after the other."""
    return float(statistics.median(one["cpu"] / other["cpu"] for one, other in zip(ours, theirs, strict=True)))


def main() -> None:
    """Measure all processes, and print what they took and what the function takes with less memory."""
    runtime = find_runtime_python()
    python = runtime or Path(sys.executable)
    code, layer, whole = (
        build_code(python=runtime),
        build_layer(python=runtime),
        build_layer(python=runtime, operations={}),
    )
    with emulated_aws() as aws:
        estate = estates.build(aws)
        environment = deploy(estate, "diagnose").environment
        with behind_tls(environment, layer / "python" / "botocore" / "cacert.pem") as secured:
            processes = {
                _OURS: _Process(_FUNCTION, code, layer, environment),
                _OVER_TLS: _Process(_FUNCTION, code, layer, secured),
                _INSTALLED: _Process(_SDK, code, whole, environment),
                _CUT: _Process(_SDK, code, layer, environment),
            }
            taken = _measure(python, processes, estate)
    sys.stdout.write(
        f"Cold start, medians of {_RUNS} processes of {python.name}, by turns. "
        f"Code and layer are {processes[_OURS].megabytes():.1f} MB unzipped.\n"
        "                                        import   processor   elapsed   memory\n"
    )
    for name, runs in taken.items():
        sys.stdout.write(
            f"  {name:<36} {_median(runs, 'imported'):6.2f} s    {_median(runs, 'cpu'):6.2f} s  "
            f"{_median(runs, 'elapsed'):6.2f} s   {_median(runs, 'megabytes'):3.0f} MB\n"
        )
    function = taken[_OURS]
    sys.stdout.write(
        f"  processor time of the function by that of the SDK: {_ratio(function, taken[_INSTALLED]):.2f} as installed "
        f"(goal: at most {_GOAL}), {_ratio(function, taken[_CUT]):.2f} of the layer\n"
    )
    processor = _median(taken[_OVER_TLS], "cpu")
    shares = ", ".join(f"{size} MB {processor * max(1, _FULL_PROCESSOR / size):.1f} s" for size in _MEMORY)
    sys.stdout.write(f"  over TLS, at Lambda's share of a processor like this one: {shares}\n")


if __name__ == "__main__":
    main()
