"""Random cases decided by us and by @cloud-copilot/iam-simulate, in a process of its own.

Left out on purpose, because there we decide otherwise, from AWS's documentation or, where that says nothing, by choice
(each has its row and its reason in tests/unit/authorization): session policies beside a direct grant in the resource
policy, ForAnyValue…IfExists on an absent key, set operators that are missing on keys of several values, policy
variables in policies of version 2008-10-17, negated operators on a variable without a value, wildcards in the resource
type of an ARN, ARNs of fewer than six parts, and Principals other than `*` in endpoint policies.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from pull_responder.authorization.cases import evaluate_lines

BENCH = Path(__file__).parents[2] / "bench"

pytestmark = [
    pytest.mark.development,
    pytest.mark.skipif(
        shutil.which("node") is None or not (BENCH / "node_modules" / "@cloud-copilot" / "iam-simulate").is_dir(),
        reason="iam-simulate is not installed (npm ci --prefix bench)",
    ),
]

Json = dict[str, Any]
HERE, THERE = "111111111111", "222222222222"
SESSION = f"arn:aws:sts::{HERE}:assumed-role/node/i-0123456789abcdef0"
ROLE = f"arn:aws:iam::{HERE}:role/node"
REPOSITORY = "arn:aws:ecr:us-east-1:{}:repository/app"
ACTIONS = ("*", "ecr:*", "ecr:Batch*", "ECR:batchgetimage", "ecr:Get?ownloadUrlForLayer", "s3:*")
PRINCIPALS = (
    "*",
    {"AWS": "*"},
    {"AWS": ROLE},
    {"AWS": SESSION},
    {"AWS": HERE},
    {"AWS": f"arn:aws:iam::{HERE}:root"},
    {"AWS": THERE},
    {"AWS": f"arn:aws:iam::{HERE}:role/other"},
)
CONTEXT: dict[str, tuple[object, ...]] = {
    "aws:SourceVpc": ("vpc-1", "vpc-2"),
    "aws:PrincipalTag/team": ("blue", "Red"),
    "aws:SecureTransport": ("true", "false"),
    "aws:SourceIp": ("10.0.0.1", "203.0.113.9", "2001:db8::1"),
    "aws:PrincipalArn": (ROLE, f"arn:aws:iam::{HERE}:role/other"),
    "aws:CurrentTime": ("2024-06-01T12:00:00Z", "2025-06-01T12:00:00Z"),
    "aws:PrincipalOrgPaths": (["o-1/r-1/"], ["o-1/r-1/ou-1/", "o-2/r-2/"]),
}
CONDITIONS: tuple[tuple[tuple[str, ...], str, tuple[object, ...]], ...] = (
    (
        ("StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase"),
        "aws:SourceVpc",
        ("vpc-1", "vpc-*", ["vpc-2", "VPC-1"], "${aws:PrincipalTag/team, 'vpc-1'}"),
    ),
    (
        ("StringEquals", "StringNotEquals", "StringLikeIfExists", "StringNotEqualsIgnoreCase", "StringNotEquals"),
        "aws:PrincipalTag/team",
        ("blue", "b*", ["red", "green"], "${aws:PrincipalTag/team}"),
    ),
    (("StringEquals", "StringLikeIfExists"), "aws:PrincipalTag/team", ("${aws:username}", ["red", "${aws:username}"])),
    (("Bool", "BoolIfExists"), "aws:SecureTransport", ("true", "false")),
    (("Null",), "aws:SourceVpc", ("true", "false")),
    (
        ("IpAddress", "NotIpAddress", "IpAddressIfExists"),
        "aws:SourceIp",
        ("10.0.0.0/8", ["203.0.113.9", "2001:db8::/32"]),
    ),
    (("ArnEquals", "ArnLike", "ArnNotLike", "ArnNotEquals"), "aws:PrincipalArn", (ROLE, "arn:aws:iam::*:role/n*")),
    (("DateLessThan", "DateGreaterThanEquals"), "aws:CurrentTime", ("2025-01-01T00:00:00Z", "2024-06-01T12:00:00Z")),
    (
        (
            "ForAnyValue:StringLike",
            "ForAllValues:StringLike",
            "ForAnyValue:StringNotLike",
            "ForAllValues:StringNotEquals",
        ),
        "aws:PrincipalOrgPaths",
        ("o-1/*", ["o-1/r-1/", "o-2/*"]),
    ),
)


def statement(chance: random.Random, *, principal: object = None, deny: float = 0.2) -> Json:
    repositories = (
        REPOSITORY.format("*"),
        REPOSITORY.format(HERE),
        REPOSITORY.format(THERE),
        "arn:aws:ecr:*:*:repository/a?p",
    )
    whole: Json = {
        "Effect": "Deny" if chance.random() < deny else "Allow",
        chance.choice(["Action", "Action", "Action", "NotAction"]): chance.choice([*ACTIONS, list(ACTIONS[2:4])]),
        chance.choice(["Resource", "Resource", "NotResource"]): chance.choice(["*", "*", *repositories]),
    }
    if principal is not None:
        whole["Principal"] = principal
    if chance.random() < 0.6:
        operators, key, values = chance.choice(CONDITIONS)
        whole["Condition"] = {chance.choice(operators): {key: chance.choice(values)}}
    return whole


def policy(chance: random.Random, principals: tuple[object, ...] = (None,), *, deny: float = 0.2) -> Json:
    statements = [
        statement(chance, principal=chance.choice(principals), deny=deny) for _ in range(chance.randint(1, 3))
    ]
    older = "${" not in json.dumps(statements) and chance.random() < 0.3
    return {"Version": "2008-10-17" if older else "2012-10-17", "Statement": statements}


def case(chance: random.Random, number: int) -> Json:
    owner = chance.choice((HERE, HERE, THERE))
    whole: Json = {
        "id": number,
        "request": {
            "principal": SESSION,
            "action": chance.choice(("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")),
            "resource": {"arn": REPOSITORY.format(owner), "accountId": owner},
            "context": {key: chance.choice(values) for key, values in CONTEXT.items() if chance.random() < 0.7},
        },
        "identityPolicies": [policy(chance) for _ in range(chance.randint(0, 2))],
    }
    if chance.random() < 0.7:
        whole["resourcePolicy"] = policy(chance, PRINCIPALS)
    elif chance.random() < 0.5:
        whole["sessionPolicy"] = policy(chance)
    if chance.random() < 0.3:
        whole["permissionBoundaryPolicies"] = [policy(chance)]
    if chance.random() < 0.4:
        full = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        whole["serviceControlPolicies"] = [[full], [full, policy(chance, deny=0.5)], [policy(chance)]]
    if chance.random() < 0.3:
        anybody = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
        guard = statement(chance, principal="*", deny=1)
        guard = {**guard, "Action": chance.choice(("ecr:*", "ecr:BatchGetImage", "s3:*"))}
        guard.pop("NotAction", None)
        levels = [{"Version": "2012-10-17", "Statement": [each]} for each in (anybody, guard)]
        whole["resourceControlPolicies"] = [levels]
    if chance.random() < 0.3:
        whole["vpcEndpointPolicies"] = [policy(chance, ("*",))]
    return whole


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_both_decide_alike(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 -- reproducible cases, not secrets
    cases = [case(chance, number) for number in range(1500)]
    lines = [json.dumps(each) for each in cases]
    done = subprocess.run(  # noqa: S603 -- our own script
        ["node", str(BENCH / "iam_simulate.mjs"), "decide"],  # noqa: S607 -- the PATH's node
        input="\n".join(lines),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    theirs = [json.loads(line) for line in done.stdout.splitlines()]
    ours = [json.loads(line) for line in evaluate_lines(lines)]
    assert not [each for each in theirs if each.get("errors")]
    different = [
        {"case": cases[number], "ours": our, "theirs": their["decision"]}
        for number, (our, their) in enumerate(zip(ours, theirs, strict=True))
        if our.get("decision") != their["decision"]
    ]
    assert not different, f"{len(different)} differ; the first: {json.dumps(different[0])}"
