"""A trust policy for the pods of another cluster lets in no further service account."""

from __future__ import annotations

from typing import Any

from pull_responder.remediation.instance_profile import trust_another_provider

OLD, NEW = (f"arn:aws:iam::111111111111:oidc-provider/oidc.eks.us-east-1.amazonaws.com/id/{each}" for each in "AB")
ISSUERS = [each.partition("oidc-provider/")[2] for each in (OLD, NEW)]


def trust(condition: dict[str, Any]) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": {"Federated": OLD}, "Action": "sts:AssumeRoleWithWebIdentity"}
    return {"Version": "2012-10-17", "Statement": [{**statement, **({"Condition": condition} if condition else {})}]}


def test_the_conditions_are_those_of_the_other_provider() -> None:
    given = trust({"StringEquals": {f"{ISSUERS[0]}:sub": "system:serviceaccount:shop:web"}})
    document = trust_another_provider(given, OLD, NEW)
    assert document
    _, added = document["Statement"]
    assert added["Principal"] == {"Federated": NEW}
    assert added["Condition"] == {"StringEquals": {f"{ISSUERS[1]}:sub": "system:serviceaccount:shop:web"}}


def test_only_what_allows_the_other_provider_is_copied() -> None:
    conditions = {"StringEquals": {f"{ISSUERS[0]}:sub": "system:serviceaccount:shop:web"}}
    (allowing,) = trust(conditions)["Statement"]
    node = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    denying = {**allowing, "Effect": "Deny"}
    named = {"Sid": "Shop", **allowing}
    document = trust_another_provider({"Version": "2012-10-17", "Statement": [node, denying, named]}, OLD, NEW)
    assert document
    copy = {
        "Effect": "Allow",
        "Principal": {"Federated": NEW},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringEquals": {f"{ISSUERS[1]}:sub": "system:serviceaccount:shop:web"}},
    }
    # Two statements of one policy cannot have the same Sid.
    assert document["Statement"] == [node, denying, named, copy]
    assert trust_another_provider({"Statement": allowing}, OLD, NEW) == {
        "Version": "2012-10-17",
        "Statement": [allowing, copy],
    }


def test_a_statement_that_names_no_service_accounts_is_not_copied() -> None:
    assert trust_another_provider(trust({"StringEquals": {f"{ISSUERS[0]}:aud": "sts.amazonaws.com"}}), OLD, NEW) is None
    assert trust_another_provider(trust({}), OLD, NEW) is None
