"""Writes authorization_cases.jsonl: pulls of EKS nodes, with every policy that applies. Each run writes the same file.

Run it in the project's folder: `.venv/bin/python bench/write_cases.py`. The cases share no policy except AWS's
FullAWSAccess.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

CASES = Path(__file__).parent / "authorization_cases.jsonl"
COUNT = 400
ACCOUNTS = ("111111111111", "222222222222", "333333333333")
SAME_ACCOUNT, WITH_BOUNDARY, THROUGH_ENDPOINT = 0.6, 0.3, 0.3
PULL = ["ecr:GetAuthorizationToken", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]

Json = dict[str, Any]


def document(*statements: Json) -> Json:
    """Return a policy of the current version."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def identity_policies(chance: random.Random, number: int, account: str) -> list[Json]:
    """Return the policies of a node's role: the managed policy's statement, a policy of its team, one about logs."""
    repositories = f"arn:aws:ecr:*:{chance.choice(ACCOUNTS)}:repository/team-{number % 7}/*"
    managed = {
        "Sid": f"Pull{number}",
        "Effect": "Allow",
        "Action": [*PULL, "ecr:BatchCheckLayerAvailability"],
        "Resource": chance.choice(["*", repositories, f"arn:aws:ecr:us-east-1:{account}:repository/app-{number}"]),
    }
    team = {
        "Effect": "Allow",
        "Action": chance.choice(["ecr:Batch*", "ecr:Get*", "ecr:*"]),
        "Resource": repositories,
        "Condition": {
            "StringEquals": {"aws:RequestedRegion": ["us-east-1", f"us-west-{number}"]},
            "StringLike": {"aws:PrincipalTag/team": f"team-{number % 7}*"},
        },
    }
    logs = {
        "Effect": "Allow",
        "Action": ["logs:*", "ec2:Describe*"],
        "Resource": f"arn:aws:logs:*:*:log-group:{number}",
    }
    return [document(managed), document(team, logs)]


def control_policies(chance: random.Random, number: int) -> list[list[Json]]:
    """Return the policies of three levels: AWS's default at each, and a guardrail at the middle one."""
    full = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    regions = {
        "Sid": f"Regions{number}",
        "Effect": "Deny",
        "NotAction": ["iam:*", "organizations:*", "sts:*"],
        "Resource": "*",
        "Condition": {
            "StringNotEquals": {"aws:RequestedRegion": chance.choice([["us-east-1"], ["eu-west-1", f"x-{number}"]])},
            "ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::*:role/admin-{number}-*"},
        },
    }
    return [[document(full)], [document({**full, "Sid": f"Full{number}"}), document(regions)], [document(full)]]


def repository_policy(chance: random.Random, account: str) -> Json | None:
    """Return a repository policy, or None for one repository in four."""
    principal = chance.choice(["*", {"AWS": f"arn:aws:iam::{account}:role/node"}, {"AWS": account}, None])
    if principal is None:
        return None
    organization = {"StringEquals": {"aws:PrincipalOrgID": chance.choice(["o-1", "o-2"])}}
    grant = {"Effect": "Allow", "Principal": principal, "Action": PULL[1:], "Condition": organization}
    insecure = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "ecr:*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return document(grant, insecure)


def case(chance: random.Random, number: int) -> Json:
    """Return one request with its policies, in the form that `pull-responder evaluate` reads."""
    account = chance.choice(ACCOUNTS)
    registry = account if chance.random() < SAME_ACCOUNT else chance.choice(ACCOUNTS)
    repository = chance.choice([f"team-{number % 7}/app", f"app-{number}"])
    whole: Json = {
        "id": number,
        "request": {
            "principal": f"arn:aws:sts::{account}:assumed-role/node/i-{number:017x}",
            "action": chance.choice(PULL[1:]),
            "resource": {
                "arn": f"arn:aws:ecr:us-east-1:{registry}:repository/{repository}",
                "accountId": registry,
            },
            "context": {
                "aws:RequestedRegion": "us-east-1",
                "aws:PrincipalArn": f"arn:aws:iam::{account}:role/node",
                "aws:PrincipalOrgID": "o-1",
                "aws:PrincipalTag/team": f"team-{chance.randrange(7)}",
                "aws:SecureTransport": "true",
            },
        },
        "identityPolicies": identity_policies(chance, number, account),
        "serviceControlPolicies": control_policies(chance, number),
        "resourcePolicy": repository_policy(chance, account),
    }
    if chance.random() < WITH_BOUNDARY:
        allowed = {"Effect": "Allow", "Action": ["ecr:*", f"s{number}:*"], "Resource": "*"}
        whole["permissionBoundaryPolicies"] = [document(allowed)]
    if chance.random() < THROUGH_ENDPOINT:
        through = {"Effect": "Allow", "Principal": "*", "Action": "ecr:*", "Resource": f"arn:aws:ecr:*:{registry}:*"}
        whole["vpcEndpointPolicies"] = [document(through)]
    return whole


def main() -> None:
    """Write the file."""
    chance = random.Random(7)  # noqa: S311 -- the same cases each time
    lines = [json.dumps(case(chance, number), separators=(",", ":")) for number in range(COUNT)]
    CASES.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
