"""A storm: a thousand roles may not pull from one minute to the next, and among them one pull fails for another cause.

`python -m bench.roles` prints how soon they are diagnosed and how many messages people get, by the clock of
bench/lambda_time.py.
"""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

from bench.lambda_time import Deployment
from bench.storm import _event as event_of_denial
from pull_responder.emulator.emulated_aws import ACCOUNT, REGION, emulated_aws
from pull_responder.emulator.findings_table import create_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pull_responder.emulator.emulated_aws import EmulatedAws

ROLES: Final = 1_000
OTHER_CAUSE: Final = "permissions_boundary_blocks_pull"
CAUSE: Final = "role_lacks_pull_permissions"
# 2026-03-01T12:00:00Z
NOON: Final = 1_772_366_400.0
MENDED_AFTER: Final = 12
_MOST_INSTANCES: Final = 500
_TRUST: Final = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


@dataclass(frozen=True)
class Result:
    """What came of a storm. Times are in seconds, messages are what was published.

    - `diagnosed`: from the last failure until the last role was diagnosed.
    - `other`: until people were told by itself of the pull that failed for another cause.
    - `broken`, `over`: the messages when it began, and when it was over.
    - `calls`: the calls to AWS until it was over.
    - `busiest`: the most reads of one action within a second.
    - `throttled`: how many calls AWS refused, because there were too many of one action.
    - `late`: how many invocations took longer than Lambda allows.
    """

    problems: int
    diagnosed: float
    other: float
    broken: list[tuple[float, dict[str, Any]]]
    over: list[tuple[float, dict[str, Any]]]
    calls: int
    busiest: int
    throttled: int
    late: int


class Estate:
    """Roles that may not pull, each with a node of a cluster, and a policy that all of them share."""

    def __init__(self, aws: EmulatedAws, number: int) -> None:
        self._aws = aws
        iam, ec2 = aws.client("iam"), aws.client("ec2")
        prefix = f"storm-{uuid4().hex[:6]}"
        self.roles = [f"{prefix}-{each}" for each in range(number)]
        names = {"policy": "s3:ListAllMyBuckets", "boundary": "s3:ListAllMyBuckets", "pull": "ecr:*"}
        self._policy, self._boundary, pull = (
            iam.create_policy(PolicyName=f"{prefix}-{name}", PolicyDocument=_policy(action))["Policy"]["Arn"]
            for name, action in names.items()
        )
        self._other = f"{prefix}-other"
        for role in self.roles:
            iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(_TRUST))
            iam.attach_role_policy(RoleName=role, PolicyArn=self._policy)
        iam.create_role(
            RoleName=self._other, AssumeRolePolicyDocument=json.dumps(_TRUST), PermissionsBoundary=self._boundary
        )
        iam.attach_role_policy(RoleName=self._other, PolicyArn=pull)
        self._pull, self._prefix = pull, prefix
        self.instances: list[str] = []
        while len(self.instances) < number:
            some = ec2.run_instances(
                ImageId="ami-12345678",
                MinCount=1,
                MaxCount=min(_MOST_INSTANCES, number - len(self.instances)),
                TagSpecifications=[
                    {"ResourceType": "instance", "Tags": [{"Key": "eks:cluster-name", "Value": "prod"}]}
                ],
            )["Instances"]
            self.instances += [each["InstanceId"] for each in some]

    def failures(self, at: float) -> list[str]:
        """Return the failures of all roles within a minute, and in their middle one of another cause."""
        bodies = [
            json.dumps(event_of_denial(role, instance, at + 60 * number / len(self.roles)))
            for number, (role, instance) in enumerate(zip(self.roles, self.instances, strict=True))
        ]
        other = event_of_denial(self._other, self.instances[0], at + 30)
        message = other["detail"]["errorMessage"]
        other["detail"]["errorMessage"] = message.replace("identity-based policy", "permissions boundary")
        return [*bodies[: len(bodies) // 2], json.dumps(other), *bodies[len(bodies) // 2 :]]

    def may_pull(self) -> str:
        """Make a role of nodes that may pull, and return its name."""
        role = f"{self._prefix}-pulls"
        iam = self._aws.client("iam")
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(_TRUST))
        iam.attach_role_policy(RoleName=role, PolicyArn=self._pull)
        return role

    def mend(self) -> list[str]:
        """Let all roles pull, and return CloudTrail's events of it."""
        iam = self._aws.client("iam")
        for arn in (self._policy, self._boundary):
            iam.create_policy_version(PolicyArn=arn, PolicyDocument=_policy("ecr:*"), SetAsDefault=True)
        return [change_event("iam", "CreatePolicyVersion", policyArn=arn) for arn in (self._policy, self._boundary)]


def _policy(action: str) -> str:
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def change_event(service: str, call: str, /, **parameters: Any) -> str:  # noqa: ANN401 -- JSON
    """Return CloudTrail's event of a call that changed something, as a queue gets it."""
    return json.dumps(
        {
            "version": "0",
            "id": str(uuid4()),
            "detail-type": "AWS API Call via CloudTrail",
            "source": f"aws.{service}",
            "account": ACCOUNT,
            "region": REGION,
            "detail": {
                "eventSource": f"{service}.amazonaws.com",
                "eventName": call,
                "eventID": str(uuid4()),
                "awsRegion": REGION,
                "recipientAccountId": ACCOUNT,
                "requestParameters": parameters,
            },
        }
    )


def play(estate: Estate, *, batches: int = 1) -> Result:
    """Let all roles fail in one minute, in `batches` at once, and let them pull `MENDED_AFTER` minutes later."""
    deployment = Deployment(NOON)
    bodies = estate.failures(NOON - 60)
    size = -(-len(bodies) // batches)
    for at in range(0, len(bodies), size):
        deployment.put("diagnose", *bodies[at : at + size], batch=at)
    deployment.play(minutes=MENDED_AFTER)
    broken, calls = list(deployment.told), sum(deployment.calls.values())
    by_itself = [at for at, document in broken if cause_of(document) == OTHER_CAUSE]
    deployment.put("recheck", *estate.mend())
    deployment.play(minutes=60)
    return Result(
        problems=len(deployment.diagnosed),
        diagnosed=max(deployment.diagnosed.values()) - NOON,
        other=(by_itself or [float("inf")])[0] - NOON,
        broken=broken,
        over=deployment.told[len(broken) :],
        calls=calls,
        busiest=max(max(each.values()) for each in deployment.seconds.values()),
        throttled=deployment.throttled,
        late=deployment.late,
    )


def prepare(aws: EmulatedAws, table: str, environment: dict[str, str]) -> None:
    """Make what the functions need, and put its names into `environment`."""
    environment.update(aws.environment)
    environment["TABLE_NAME"] = create_table(aws.client("dynamodb"), table)
    environment["TOPIC_ARN"] = aws.client("sns").create_topic(Name=table)["TopicArn"]
    environment["POWERTOOLS_LOG_LEVEL"] = "ERROR"


def messages(told: Sequence[tuple[float, dict[str, Any]]], since: float) -> str:
    """Say which messages people got, and after how many minutes."""
    said = []
    for at, document in told:
        cause = cause_of(document)
        what = f"{document['edge']} {cause}" if cause else f"digest of {number_in(document)}"
        said.append(f"{what} at {(at - since) / 60:.1f} min")
    return f"{len(told)} ({', '.join(said)})"


def cause_of(document: dict[str, Any]) -> str | None:
    """Return the worst cause that a message is about, None for a digest."""
    return None if document["edge"] == "digest" else str(document["findings"][0]["cause"])


def number_in(document: dict[str, Any]) -> int:
    """Return how many findings a message is about."""
    return int(document["count"]) if document["edge"] == "digest" else len(document["findings"])


def main() -> None:
    """Play the storm in one batch and in ten, and print what came of it."""
    for batches in (1, 10):
        with emulated_aws() as aws:
            prepare(aws, "findings", os.environ)  # type: ignore[arg-type]  # it is a mapping of strings
            aws.client("securityhub").enable_security_hub()
            aws.client("ecr").create_repository(repositoryName="shop/web")
            processor = time.process_time()
            result = play(Estate(aws, ROLES), batches=batches)
        sys.stdout.write(
            f"{ROLES:,} roles fail in one minute, {batches} batch(es), by the emulated clock of bench/lambda_time.py:\n"
            f"  diagnosed within                     {result.diagnosed:10.0f} s ({result.problems:,} problems)\n"
            f"  the one of another cause told        {result.other:10.0f} s\n"
            f"  messages when it begins              {messages(result.broken, NOON):>10}\n"
            f"  messages when it is over             {messages(result.over, NOON + 60 * MENDED_AFTER):>10}\n"
            f"  calls to AWS when it begins          {result.calls:10,}"
            f" (at most {result.busiest} reads of one action a second, {result.throttled} throttled)\n"
            f"  processor time                       {time.process_time() - processor:10.0f} s\n"
        )


if __name__ == "__main__":
    main()
