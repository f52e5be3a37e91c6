"""What stays open where pods show the registry other credentials than those of their node's role."""

from __future__ import annotations

import pytest

from pull_responder.cli.other_credentials import Account, role_in, with_other_role, with_secrets
from pull_responder.diagnosis import Diagnosis, Examined
from pull_responder.model.verdict import Status
from tests.unit.cli.answers import ROLE, cause, diagnosis, ec2

LACKS = cause("role_lacks_pull_permissions", ROLE)
METADATA = cause("instance_metadata_disabled", ec2("instance", "i-0a1b2c3d4e5f60718"))
NO_ROUTE = cause("no_route_to_ecr", ec2("subnet", "subnet-0a1b2c3d"))
OTHER = Account("arn:aws:iam::222222222222:role/pods", "web", "shop")


def found() -> Diagnosis:
    causes = ("role_lacks_pull_permissions", "role_policy_denies_pull", "vpc_dns_disabled")
    examined = tuple(Examined(each, Status.PASSED, ()) for each in causes)
    passed = ("role_policy_denies_pull", "vpc_dns_disabled")
    return diagnosis(LACKS, METADATA, NO_ROUTE, passed=passed, examined=examined)


def test_another_role_leaves_open_what_is_of_the_nodes() -> None:
    left = with_other_role(found(), OTHER)
    assert left.findings == (NO_ROUTE,)
    assert left.passed == ("vpc_dns_disabled",)
    assert [each.cause for each in left.examined] == ["vpc_dns_disabled"]
    assert [each.cause for each in left.inconclusive] == [
        "role_lacks_pull_permissions",
        "instance_metadata_disabled",
        "role_policy_denies_pull",
    ]
    assert all("role/pods of service account shop/web" in each.reason for each in left.inconclusive)


def test_a_pull_secret_leaves_open_what_fails() -> None:
    left = with_secrets(found(), ("regcred",))
    assert left.findings == (NO_ROUTE,)
    assert left.passed == found().passed
    assert "role_lacks_pull_permissions" not in [each.cause for each in left.examined]


@pytest.mark.parametrize(
    "annotation",
    [
        None,
        "",
        "pods",
        "arn:aws:iam::222222222222:user/pods",
        "arn:aws:sts::222222222222:role/pods",
        "arn:aws:iam::222222222222:role/pods\n",
        f"arn:aws:iam::222222222222:role/{'p' * 3000}",
    ],
)
def test_what_names_no_role(annotation: str | None) -> None:
    assert role_in(annotation) is None
