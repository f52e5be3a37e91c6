"""Policies that cannot be evaluated leave their part of the verdict open, and are named with the place in them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.integration.checks.estate import (
    ALLOW_ALL,
    MANIFEST,
    NO_REASON,
    PULL,
    PULL_ONLY,
    allow,
    deny,
    explicit_deny,
    only,
    opened,
    policy,
    refuse,
)

if TYPE_CHECKING:
    from tests.integration.checks.estate import Estate, Statement

STATEMENTS: dict[str, tuple[Statement, str]] = {
    "element": (deny("s3:*", Unless={}), 'Statement[1]: unknown element "Unless"'),
    "operator": (
        deny("s3:*", Condition={"StringIs": {"a": "b"}}),
        'Statement[1].Condition: unknown operator "StringIs"',
    ),
    "type": (deny("s3:*", Sid=7), "Statement[1].Sid: must be a string"),
    "value": (
        deny("s3:*", Condition={"Bool": {"aws:SecureTransport": "maybe"}}),
        "Statement[1].Condition.Bool.aws:SecureTransport: 'maybe' is neither true nor false",
    ),
}


@pytest.mark.parametrize(("statement", "says"), STATEMENTS.values(), ids=STATEMENTS)
@pytest.mark.parametrize("kind", ["inline", "attached", "boundary", "repository", "registry"])
def test_the_policy_and_the_place_are_named(estate: Estate, kind: str, statement: Statement, says: str) -> None:
    document = policy(ALLOW_ALL, statement)
    resource = [{**each, "Principal": "*"} for each in document["Statement"]]
    managed = estate.managed_policy(document) if kind in ("attached", "boundary") else None
    role = estate.role(
        attach=[PULL_ONLY, *([managed] if managed and kind == "attached" else [])],
        boundary=managed if kind == "boundary" else None,
    )
    repository = estate.repository()
    if kind == "inline":
        estate.put_inline(role, "odd", document)
    elif kind == "repository":
        estate.set_policy(repository, *resource)
    elif kind == "registry":
        estate.set_registry_policy(*resource)

    diagnosis = estate.diagnose(estate.denied(role, repository, NO_REASON))

    named = {
        "inline": ("role_policy_denies_pull", "inline policy odd"),
        "attached": ("role_policy_denies_pull", managed),
        "boundary": ("permissions_boundary_blocks_pull", managed),
        "repository": ("repository_policy_denies_pull", "the repository policy"),
        "registry": ("registry_policy_denies_pull", "the registry policy"),
    }
    cause, name = named[kind]
    assert opened(diagnosis)[cause] == f"policy {name}: {says}"
    assert cause not in diagnosis.passed


def test_a_boundary_that_is_none_is_decided_by_words(estate: Estate) -> None:
    boundary = estate.managed_policy(policy(STATEMENTS["element"][0]))
    role, repository = estate.role(attach=[PULL_ONLY], boundary=boundary), estate.repository()
    pull = estate.denied(role, repository, explicit_deny("permissions boundary"))
    finding = only(estate.diagnose(pull), "permissions_boundary_blocks_pull")
    assert finding.remediation.commands == ()


def test_thousands_of_wildcards_are_decided(estate: Estate) -> None:
    """Matching that backtracks would not come to an end."""
    wild = "arn:aws:ecr:*:*:repository/" + "*a?" * 3_000
    document = policy(refuse("*", MANIFEST, Condition={"StringLike": {"aws:PrincipalArn": ["*e?" * 3_000, wild]}}))
    assert len(json.dumps(document)) > 15_000
    role, repository = estate.role(allow(*PULL)), estate.repository(*document["Statement"], name="a" * 200)
    assert estate.diagnose(estate.denied(role, repository, NO_REASON)).findings == ()
    estate.set_policy(repository, refuse("*", MANIFEST, Condition={"StringLike": {"aws:PrincipalArn": "*?" * 40}}))
    only(estate.diagnose(estate.denied(role, repository, NO_REASON)), "repository_policy_denies_pull")
