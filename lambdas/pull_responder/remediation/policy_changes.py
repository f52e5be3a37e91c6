"""What the commands of a fix do to policies, read from the commands as they are printed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from pull_responder.remediation.ecr_actions import IMAGE_ACTIONS, TOKEN_ACTION
from pull_responder.remediation.iam import FARGATE_POLICY, PULL_ONLY_POLICY
from pull_responder.remediation.policy_edits import Document, has_statements

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pull_responder.model.verdict import Remediation
    from pull_responder.remediation.shell import Command

# No inline policy can be called so: their names hold no blanks.
REPOSITORY: Final = "the repository policy"
REGISTRY: Final = "the registry policy"

# What the two AWS managed policies allow that a fix attaches. Source: AWS Managed Policy Reference.
_PULL: Final[Document] = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": [TOKEN_ACTION, *IMAGE_ACTIONS], "Resource": "*"}],
}


def policy_changes(fix: Remediation) -> dict[str, Document | None]:
    """Return the policies as they are once the commands have run; None for a policy that no longer applies.

    Keys are the ARN of a managed policy, the name of an inline policy, the id of an organization's policy or of a VPC
    endpoint, or REPOSITORY or REGISTRY. Commands that change no policy are left out.
    """
    changes: dict[str, Document | None] = {}
    for command in fix.commands:
        changes |= _change(command)
    return {name: document if document and has_statements(document) else None for name, document in changes.items()}


# For each command: the option that names the policy, or its name; and the option with its new text, if it has one.
_COMMANDS: Final[Mapping[tuple[str, str], tuple[str, str]]] = {
    ("iam", "put-role-policy"): ("policy-name", "policy-document"),
    ("iam", "delete-role-policy"): ("policy-name", ""),
    ("iam", "create-policy-version"): ("policy-arn", "policy-document"),
    ("iam", "detach-role-policy"): ("policy-arn", ""),
    ("ecr", "set-repository-policy"): (REPOSITORY, "policy-text"),
    ("ecr", "delete-repository-policy"): (REPOSITORY, ""),
    ("ecr", "put-registry-policy"): (REGISTRY, "policy-text"),
    ("ecr", "delete-registry-policy"): (REGISTRY, ""),
    ("organizations", "update-policy"): ("policy-id", "content"),
    ("ec2", "modify-vpc-endpoint"): ("vpc-endpoint-id", "policy-document"),
}


def _change(command: Command) -> dict[str, Document | None]:
    given = options(command)
    if command[1:3] == ("iam", "attach-role-policy"):
        known = given["policy-arn"].endswith((f"/{PULL_ONLY_POLICY}", f"/{FARGATE_POLICY}"))
        return {given["policy-arn"]: _PULL} if known else {}
    found = _COMMANDS.get((command[1], command[2]))
    if found is None:
        return {}
    name, text = found
    if text and text not in given:  # another change of the same resource
        return {}
    return {given.get(name, name): json.loads(given[text]) if text else None}


def options(command: Command) -> dict[str, str]:
    """Return the options with their values. One that begins with a dash is joined to its option by "="."""
    found: dict[str, str] = {}
    for place, word in enumerate(command):
        name, joined, value = word.removeprefix("--").partition("=")
        if word.startswith("--"):
            following = command[place + 1] if place + 1 < len(command) else ""
            found[name] = value if joined else following
    return found
