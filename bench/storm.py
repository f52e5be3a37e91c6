"""Measures the function `diagnose` on ten thousand events of five problems: `python -m bench.storm`.

The function runs in one process on one core of this machine. An emulated AWS on the other cores answers its calls. For
comparison, it also measures a bare `json.loads` of the same bytes. It fails when an event is lost, notified twice or
diagnosed twice.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections import Counter
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from botocore.client import BaseClient

from pull_responder.demo.runtime import Context
from pull_responder.emulator.emulated_aws import ACCOUNT, REGION, EmulatedAws, emulated_aws
from pull_responder.emulator.findings_table import create_table
from pull_responder.findings.life import Life
from pull_responder.findings.problem import iso
from pull_responder.findings.store import Store
from pull_responder.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

EVENTS: Final = 10_000
PROBLEMS: Final = 5
_DUPLICATES: Final = EVENTS // 10
# The default of batchSize in cdk.json.
_BATCH: Final = json.loads(open("cdk.json").read())["context"]["pullResponder"]["batchSize"]  # noqa: SIM115, PTH123
_NODES: Final = 200
_TABLE: Final = "findings"
_FUNCTION: Final = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:bench"


@contextmanager
def _count_calls() -> Iterator[Counter[str]]:
    """Count the calls to AWS by name."""
    made: Counter[str] = Counter()
    # All calls go through this method.
    call = BaseClient._make_api_call  # type: ignore[attr-defined]  # noqa: SLF001

    def count_call(client: BaseClient, name: str, arguments: Any) -> Any:  # noqa: ANN401 -- whatever botocore hands over
        made[name] += 1
        return call(client, name, arguments)

    BaseClient._make_api_call = count_call  # type: ignore[attr-defined]  # noqa: SLF001
    try:
        yield made
    finally:
        BaseClient._make_api_call = call  # type: ignore[attr-defined]  # noqa: SLF001


def _roles(aws: EmulatedAws) -> list[str]:
    """Create a cluster with a node group for each problem. Return the names of the roles, which may not pull."""
    iam, eks = aws.client("iam"), aws.client("eks")
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
    subnets = ["subnet-0a1b2c3d4e5f60718"]
    aws.client("ecr").create_repository(repositoryName="shop/web")
    roles = [f"node-{number}" for number in range(PROBLEMS)]
    arns = [iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"] for role in roles]
    eks.create_cluster(name="prod", roleArn=arns[0], resourcesVpcConfig={"subnetIds": subnets})
    for role, arn in zip(roles, arns, strict=True):
        eks.create_nodegroup(clusterName="prod", nodegroupName=role, subnets=subnets, nodeRole=arn)
    return roles


def _event(role: str, instance: str, at: float) -> dict[str, Any]:
    """Return the event of a denied pull by an EKS node, with all fields that CloudTrail records."""
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{instance}"
    repository = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/shop/web"
    issuer = {
        "type": "Role",
        "principalId": "AROA0123456789EXAMPLE",
        "arn": f"arn:aws:iam::{ACCOUNT}:role/{role}",
        "accountId": ACCOUNT,
        "userName": role,
    }
    return {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.ecr",
        "account": ACCOUNT,
        "time": iso(at),
        "region": REGION,
        "resources": [],
        "detail": {
            "eventVersion": "1.11",
            "userIdentity": {
                "type": "AssumedRole",
                "principalId": f"AROA0123456789EXAMPLE:{instance}",
                "arn": session,
                "accountId": ACCOUNT,
                "accessKeyId": "ASIA0123456789EXAMPL",
                "sessionContext": {
                    "sessionIssuer": issuer,
                    "attributes": {"creationDate": "2026-03-01T06:00:00Z", "mfaAuthenticated": "false"},
                    "ec2RoleDelivery": "2.0",
                },
                "invokedBy": "AWS Internal",
            },
            "eventTime": iso(at),
            "eventSource": "ecr.amazonaws.com",
            "eventName": "BatchGetImage",
            "awsRegion": REGION,
            "sourceIPAddress": "AWS Internal",
            "userAgent": "AWS Internal",
            "errorCode": "AccessDenied",
            "errorMessage": (
                f"User: {session} is not authorized to perform: ecr:BatchGetImage on resource: {repository} "
                "because no identity-based policy allows the ecr:BatchGetImage action"
            ),
            "requestParameters": None,
            "responseElements": None,
            "requestID": str(uuid4()),
            "eventID": str(uuid4()),
            "readOnly": True,
            "eventType": "AwsApiCall",
            "managementEvent": True,
            "recipientAccountId": ACCOUNT,
            "eventCategory": "Management",
        },
    }


def _bodies(roles: list[str], chance: random.Random) -> list[str]:
    now = time.time()
    bodies = [
        json.dumps(_event(roles[number % PROBLEMS], f"i-{chance.randrange(_NODES):017x}", now - chance.randrange(600)))
        for number in range(EVENTS - _DUPLICATES)
    ]
    bodies += chance.choices(bodies, k=_DUPLICATES)
    chance.shuffle(bodies)
    return bodies


def _batches(bodies: list[str]) -> Iterator[dict[str, Any]]:
    for at in range(0, len(bodies), _BATCH):
        yield {
            "Records": [
                {
                    "messageId": str(number),
                    "receiptHandle": "bench",
                    "body": body,
                    "attributes": {"ApproximateReceiveCount": "1"},
                    "messageAttributes": {},
                    "eventSource": "aws:sqs",
                    "awsRegion": REGION,
                }
                for number, body in enumerate(bodies[at : at + _BATCH])
            ]
        }


def _bare(bodies: list[str]) -> float:
    """Return the seconds to parse all bodies and do nothing else."""
    start = time.perf_counter()
    for body in bodies:
        json.loads(body)
    return time.perf_counter() - start


def main() -> None:
    """Send all events, and print the times and the calls."""
    with emulated_aws() as aws:
        os.environ.update(aws.environment)
        os.environ["TABLE_NAME"] = create_table(aws.client("dynamodb"), _TABLE)
        os.environ["TOPIC_ARN"] = aws.client("sns").create_topic(Name="bench")["TopicArn"]
        os.environ["POWERTOOLS_LOG_LEVEL"] = "WARNING"
        aws.client("securityhub").enable_security_hub()
        from pull_responder.handlers.diagnose import handler  # noqa: PLC0415 -- reads its settings when imported

        chance = random.Random(5)  # noqa: S311 -- the same storm each time
        bodies = _bodies(_roles(aws), chance)
        # Keep one core for this process. The emulator runs on the others.
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
        bare = min(_bare(bodies) for _ in range(5))
        batches = list(_batches(bodies))
        with _count_calls() as made, redirect_stdout(StringIO()):
            seconds, processor = [], []
            for batch in batches:
                wall, cpu = time.perf_counter(), time.process_time()
                answer = handler(batch, Context(_FUNCTION))
                processor.append(time.process_time() - cpu)
                seconds.append(time.perf_counter() - wall)
                if answer["batchItemFailures"]:
                    raise SystemExit(f"{len(answer['batchItemFailures'])} events were not handled")
        settings = read_settings(os.environ)
        store = Store(aws.client("dynamodb"), _TABLE, settings)
        ids = store.open_findings(limit=100)
        problems = [p for each in store.lives(ids).values() if isinstance(each, Life) for p in each.problems]
        count = sum(each.count for each in store.problems(problems).values())
    if (len(ids), count, made["Publish"]) != (PROBLEMS, EVENTS - _DUPLICATES, PROBLEMS):
        raise SystemExit(f"{len(ids)} findings of {count} events, {made['Publish']} notifications")
    repeats, repeats_cpu = sum(seconds[1:]), sum(processor[1:])
    events = len(bodies) - _BATCH
    loads = len(bodies) / bare
    most = ", ".join(f"{number} {name}" for name, number in made.most_common(5))
    sys.stdout.write(
        f"{len(bodies):,} events of {PROBLEMS} problems, {_DUPLICATES:,} of them twice, "
        f"in {len(batches)} batches of {_BATCH}:\n"
        f"  findings, notifications, diagnoses   {len(ids)}, {made['Publish']}, {len(set(problems))}\n"
        f"  first batch, with the diagnoses      {seconds[0]:10.2f} s\n"
        f"  repeats                              {events / repeats:10,.0f} events a second\n"
        f"  repeats, processor time alone        {events / repeats_cpu:10,.0f} events a second\n"
        f"  bare json.loads of the same bytes    {loads:10,.0f} events a second\n"
        f"  the handler takes                    {loads * repeats / events:10.1f} times as long"
        f" ({loads * repeats_cpu / events:.1f} without waiting for AWS)\n"
        f"  calls to AWS                         {made.total():10,} ({most}, ...)\n"
    )


if __name__ == "__main__":
    main()
