"""What the commands of a fix do to policies: the policies after them are what proves the fix."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pull_responder.model.verdict import Remediation
from pull_responder.remediation.policy_changes import options, policy_changes

DOCUMENT = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "ecr:*", "Resource": "*"}]}
EMPTY: dict[str, Any] = {"Version": "2012-10-17", "Statement": []}
TEXT = json.dumps(DOCUMENT)
GUARD = "arn:aws:iam::111111111111:policy/guard"
REPOSITORY = ("--repository-name", "app", "--registry-id", "111111111111")


def changes(*commands: tuple[str, ...]) -> dict[str, Any]:
    whole = tuple(("aws", *command, "--region", "eu-west-1") for command in commands)
    return policy_changes(Remediation("Mend it.", "111111111111", "eu-west-1", "https://x", whole))


@pytest.mark.parametrize(
    ("command", "changed"),
    [
        (("iam", "put-role-policy", "--policy-name", "in", "--policy-document", TEXT), {"in": DOCUMENT}),
        (("iam", "put-role-policy", "--policy-name=-in", f"--policy-document={TEXT}"), {"-in": DOCUMENT}),
        (("iam", "delete-role-policy", "--role-name", "blue", "--policy-name", "in"), {"in": None}),
        (("iam", "create-policy-version", "--policy-arn", GUARD, "--policy-document", TEXT), {GUARD: DOCUMENT}),
        (("iam", "detach-role-policy", "--role-name", "blue", "--policy-arn", GUARD), {GUARD: None}),
        (("ecr", "set-repository-policy", *REPOSITORY, "--policy-text", TEXT), {"the repository policy": DOCUMENT}),
        (("ecr", "delete-repository-policy", *REPOSITORY), {"the repository policy": None}),
        (("ecr", "put-registry-policy", "--policy-text", TEXT), {"the registry policy": DOCUMENT}),
        (("ecr", "delete-registry-policy"), {"the registry policy": None}),
        (("organizations", "update-policy", "--policy-id", "p-1", "--content", TEXT), {"p-1": DOCUMENT}),
        (
            ("ec2", "modify-vpc-endpoint", "--vpc-endpoint-id", "vpce-1", "--policy-document", TEXT),
            {"vpce-1": DOCUMENT},
        ),
        # A policy without a statement no longer applies.
        (("iam", "put-role-policy", "--policy-name", "in", "--policy-document", json.dumps(EMPTY)), {"in": None}),
        # What changes no policy.
        (("ec2", "modify-vpc-endpoint", "--vpc-endpoint-id", "vpce-1", "--private-dns-enabled"), {}),
        (("iam", "delete-policy-version", "--policy-arn", GUARD, "--version-id", "v1"), {}),
        (("kms", "enable-key", "--key-id", "k"), {}),
    ],
    ids=lambda each: " ".join(each[:2]) if isinstance(each, tuple) else "",
)
def test_what_a_command_changes(command: tuple[str, ...], changed: dict[str, Any]) -> None:
    assert changes(command) == changed


def test_commands_add_up_and_the_last_one_counts() -> None:
    put = ("iam", "put-role-policy", "--policy-name", "in", "--policy-document", TEXT)
    detach = ("iam", "detach-role-policy", "--policy-arn", GUARD)
    assert changes(put, detach) == {"in": DOCUMENT, GUARD: None}
    assert changes(put, ("iam", "delete-role-policy", "--policy-name", "in")) == {"in": None}


@pytest.mark.parametrize("name", ["AmazonEC2ContainerRegistryPullOnly", "AmazonEKSFargatePodExecutionRolePolicy"])
def test_the_policies_of_aws_for_nodes_allow_a_pull(name: str) -> None:
    """AWS Managed Policy Reference: the actions of a pull, on everything."""
    arn = f"arn:aws:iam::aws:policy/{name}"
    pull = ["ecr:GetAuthorizationToken", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    statement = {"Effect": "Allow", "Action": pull, "Resource": "*"}
    attach = ("iam", "attach-role-policy", "--role-name", "blue", "--policy-arn")
    assert changes((*attach, arn)) == {arn: {"Version": "2012-10-17", "Statement": [statement]}}
    # Nothing is known of another policy, such as one whose name ends alike.
    assert changes((*attach, f"arn:aws:iam::111111111111:policy/My{name}")) == {}


def test_options_are_read_with_their_values() -> None:
    command = ("aws", "iam", "put-role-policy", "--role-name", "blue", "--policy-name=-a=b", "--last")
    assert options(command) == {"role-name": "blue", "policy-name": "-a=b", "last": ""}
    assert options(("aws", "iam", "get-role", "--role-name", "blue")) == {"role-name": "blue"}
