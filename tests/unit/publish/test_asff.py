"""Findings in the AWS Security Finding Format, held against the API's own model."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Final, TypedDict, Unpack

import botocore.session
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pull_responder.checks import BY_ID
from pull_responder.findings.deed import Deed
from pull_responder.findings.finding import Finding
from pull_responder.findings.reach import Reach
from pull_responder.model.pull import Principal, PrincipalKind, PullFailure, Symptom
from pull_responder.model.verdict import Remediation, Resource, Severity
from pull_responder.publish.asff import size_of, to_asff
from pull_responder.publish.asff_types import AVAILABILITY
from tests.unit.publish.examples import (
    ATTACH_POLICY,
    CLUSTER,
    FINDING,
    PRINCIPAL,
    PULL,
    REPOSITORY,
    ROLE,
    findings,
    text,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.model import Shape

NOW: Final = datetime(2026, 5, 4, 10, 12, 0, tzinfo=UTC)


class Told(TypedDict, total=False):
    reach: Reach
    created_at: str
    updated_after: str
    resolved_because: str
    related: dict[str, str]
    here_because: str
    page: str
    broken_by: Deed


def asff(finding: Finding, now: datetime = NOW, **told: Unpack[Told]) -> dict[str, Any]:
    return dict(to_asff(finding, account="123456789012", region="eu-west-1", partition="aws", now=now, **told))


def test_the_finding_of_a_role_without_permissions() -> None:
    fields = asff(replace(FINDING, last_observed_at="2026-05-04T12:11:12+02:00"))

    assert fields == {
        "SchemaVersion": "2018-10-08",
        "Id": FINDING.id,
        "ProductArn": "arn:aws:securityhub:eu-west-1:123456789012:product/123456789012/default",
        "ProductName": "Pull Responder",
        "CompanyName": "Pull Responder",
        "GeneratorId": "pull-responder/role_lacks_pull_permissions",
        "AwsAccountId": "123456789012",
        "CreatedAt": "2026-05-04T10:11:12.000Z",
        "UpdatedAt": "2026-05-04T10:12:00.000Z",
        "FirstObservedAt": "2026-05-04T10:11:12.000Z",
        "LastObservedAt": "2026-05-04T10:11:12.000Z",
        "FindingProviderFields": {
            "Severity": {"Label": "HIGH", "Original": "HIGH"},
            "Types": ["Software and Configuration Checks/AWS Security Best Practices"],
        },
        "Title": "The role lacks permissions to pull: role/eks/prod-node",
        "Description": (
            "No identity policy of the role allows ecr:BatchGetImage on the repository. "
            "Evidence: (1) Managed policy AmazonEKSWorkerNodePolicy has no statement for ecr:BatchGetImage. "
            '(2) Inline policy "logs" allows only logs:*.'
        ),
        "Remediation": {
            "Recommendation": {
                "Text": (
                    "Attach the managed policy AmazonEC2ContainerRegistryPullOnly to the role. "
                    "Run in account 111111111111: aws iam attach-role-policy --role-name prod-node "
                    "--policy-arn arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly"
                ),
                "Url": "https://docs.aws.amazon.com/AmazonECR/latest/userguide/security-iam-awsmanpol.html",
            }
        },
        "Compliance": {"Status": "FAILED"},
        "RecordState": "ACTIVE",
        "ProductFields": {
            "pull-responder/cause": "role_lacks_pull_permissions",
            "pull-responder/account": "111111111111",
            "pull-responder/region": "eu-west-1",
            "pull-responder/cluster": "prod",
            "pull-responder/console": "https://console.aws.amazon.com/iam/home#/roles/details/prod-node",
            "pull-responder/image": "222222222222.dkr.ecr.eu-west-1.amazonaws.com/payments/api:1.4.2",
            "pull-responder/registry-account": "222222222222",
            "pull-responder/repository": "payments/api",
            "pull-responder/role": ROLE,
            "pull-responder/principal": PRINCIPAL.arn,
            "pull-responder/principal-account": "111111111111",
            "pull-responder/node": "ip-10-0-3-17.eu-west-1.compute.internal",
            "pull-responder/namespace": "payments",
            "pull-responder/pod": "api-7d4b9c5f6-x2x7q",
            "pull-responder/symptom": "access_denied",
            "pull-responder/stage": "manifest",
            "pull-responder/event-id": "b1f2c3d4-0000-4000-8000-000000000001",
            "pull-responder/denied-action": "ecr:BatchGetImage",
            "pull-responder/denied-resource": REPOSITORY,
            "pull-responder/denying-policy-type": "identity-based policy",
            "pull-responder/error-message": "User: … is not authorized to perform: ecr:BatchGetImage",
            "pull-responder/remediation/account": "111111111111",
            "pull-responder/remediation/region": "eu-west-1",
            "pull-responder/evidence/1": FINDING.evidence[0],
            "pull-responder/evidence/2": FINDING.evidence[1],
            "pull-responder/remediation/command/1": " ".join(ATTACH_POLICY),
        },
        "Resources": [
            {
                "Type": "AwsIamRole",
                "Id": ROLE,
                "Partition": "aws",
                "Region": "eu-west-1",
                "Details": {"AwsIamRole": {"RoleName": "prod-node", "Path": "/eks/"}},
            },
            {
                "Type": "AwsEksCluster",
                "Id": CLUSTER,
                "Partition": "aws",
                "Region": "eu-west-1",
                "Details": {"AwsEksCluster": {"Arn": CLUSTER, "Name": "prod"}},
            },
            {
                "Type": "AwsEcrRepository",
                "Id": REPOSITORY,
                "Partition": "aws",
                "Region": "eu-west-1",
                "Details": {"AwsEcrRepository": {"Arn": REPOSITORY, "RepositoryName": "payments/api"}},
            },
            {
                "Type": "AwsEc2Instance",
                "Id": "i-0a1b2c3d4e5f60718",
                "Partition": "aws",
                "Details": {
                    "Other": {
                        "AccountId": "111111111111",
                        "InstanceId": "i-0a1b2c3d4e5f60718",
                        "NodeName": "ip-10-0-3-17.eu-west-1.compute.internal",
                    }
                },
            },
        ],
    }


def test_a_principal_that_does_not_pull_for_eks_is_unusual_and_no_failed_check() -> None:
    user = Principal(
        kind=PrincipalKind.USER,
        arn="arn:aws:iam::333333333333:user/people/jane",
        partition="aws",
        account="333333333333",
        name="jane",
    )
    finding = replace(
        FINDING,
        cause="unexpected_principal_denied",
        severity=Severity.INFORMATIONAL,
        resource=Resource("AwsEcrRepository", REPOSITORY, "222222222222"),
        pull=replace(PULL, principal=user, cluster=None, node=None),
        related=(),
        cluster=None,
    )

    fields = asff(finding)

    assert fields["FindingProviderFields"]["Types"] == ["Unusual Behaviors/User"]
    assert fields["FindingProviderFields"]["Severity"]["Label"] == "INFORMATIONAL"
    assert fields["Compliance"] == {"Status": "NOT_AVAILABLE"}
    assert [(each["Type"], each["Id"]) for each in fields["Resources"]] == [
        ("AwsEcrRepository", REPOSITORY),
        ("AwsIamUser", user.arn),
    ]
    assert fields["Resources"][1]["Details"] == {"AwsIamUser": {"UserName": "jane", "Path": "/people/"}}


def test_a_session_does_not_give_away_its_roles_path() -> None:
    finding = replace(
        FINDING,
        resource=Resource("AwsEcrRepository", REPOSITORY, "222222222222"),
        pull=replace(PULL, principal=replace(PRINCIPAL, role_arn=None)),
    )

    assert "AwsIamRole" not in [each["Type"] for each in asff(finding)["Resources"]]


def test_a_bare_name_gives_way_to_the_arn_that_a_diagnosis_has_read() -> None:
    instance = "arn:aws:ec2:us-east-1:111111111111:instance/i-0a1b2c3d4e5f60718"

    related = (*FINDING.related, Resource("AwsEc2Instance", instance, "111111111111"))
    known = [(each["Id"], each["Region"]) for each in asff(replace(FINDING, related=related))["Resources"]]
    unknown = [each["Id"] for each in asff(replace(FINDING, related=()))["Resources"]]

    assert known == [
        (ROLE, "eu-west-1"),
        (CLUSTER, "eu-west-1"),
        (instance, "us-east-1"),
        (REPOSITORY, "eu-west-1"),
    ]
    assert unknown == [ROLE, REPOSITORY, "prod", "i-0a1b2c3d4e5f60718"]


def test_a_resource_without_a_type_of_its_own_says_its_account() -> None:
    policy = Resource("Other", "p-examplepolicy", "444444444444")

    assert asff(replace(FINDING, resource=policy))["Resources"][0] == {
        "Type": "Other",
        "Id": "p-examplepolicy",
        "Partition": "aws",
        "Details": {"Other": {"AccountId": "444444444444"}},
    }


def test_what_an_id_does_not_say_well_is_left_out_or_kept_as_it_is() -> None:
    nowhere = Resource("AwsEc2Subnet", "arn:aws:ec2:a-region-of-no-partition:111111111111:subnet/s", "111111111111")
    nameless = Resource("AwsEksCluster", "/", "111111111111")

    resources = asff(replace(FINDING, resource=nowhere, related=(nameless,)))["Resources"]

    assert resources[0] == {"Type": "AwsEc2Subnet", "Id": nowhere.id, "Partition": "aws"}
    assert resources[1]["Details"] == {"AwsEksCluster": {"Name": "/"}}


def test_a_partition_that_security_hub_cannot_name_is_left_out() -> None:
    role = "arn:aws-iso-b:iam::111111111111:role/node"
    finding = replace(FINDING, resource=Resource("AwsIamRole", role, "111111111111"))

    fields = dict(to_asff(finding, account="111111111111", region="us-isob-east-1", partition="aws-iso-b", now=NOW))

    assert fields["ProductArn"] == "arn:aws-iso-b:securityhub:us-isob-east-1:111111111111:product/111111111111/default"
    assert fields["Resources"][0] == {  # type: ignore[index]  # a list of the API's own dictionaries
        "Type": "AwsIamRole",
        "Id": role,
        "Region": "us-isob-east-1",
        "Details": {"AwsIamRole": {"RoleName": "node", "Path": "/"}},
    }


@pytest.mark.parametrize(
    ("known", "created", "seen_last", "updated"),
    [
        (("2026-05-04T09:00:00Z", "2026-05-04T10:00:00Z", None), "09:00:00", "10:00:00", "10:12:00"),
        ((None, None, "2026-05-04T09:00:00Z"), "09:00:00", "09:00:00", "10:12:00"),
        (("not a time", "", "nor this"), "10:12:00", "10:12:00", "10:12:00"),
        (("2026-05-04T11:00:00+01:00", "2026-05-04T09:00:00", None), "10:00:00", "10:00:00", "10:12:00"),
        # The clock of whoever wrote the event is ahead of ours.
        (("2026-05-04T10:11:00Z", "2026-05-04T10:20:00Z", None), "10:11:00", "10:12:00", "10:12:00"),
        (("2026-05-04T10:15:00Z", "2999-05-04T10:20:00Z", None), "10:12:00", "10:12:00", "10:12:00"),
    ],
)
def test_the_times_are_in_order(
    known: tuple[str | None, str | None, str | None], created: str, seen_last: str, updated: str
) -> None:
    first, last, observed = known

    fields = asff(
        replace(FINDING, first_observed_at=first, last_observed_at=last, pull=replace(PULL, observed_at=observed))
    )

    assert fields["CreatedAt"] == fields["FirstObservedAt"] == f"2026-05-04T{created}.000Z"
    assert fields["LastObservedAt"] == f"2026-05-04T{seen_last}.000Z"
    assert fields["UpdatedAt"] == f"2026-05-04T{updated}.000Z"


@pytest.mark.parametrize(
    ("created_at", "updated_after", "created", "updated"),
    [
        # What was sent last is older than now, as new as now, ahead of now by a clock that has been put right since.
        (
            "2026-05-03T08:00:00.000Z",
            "2026-05-04T10:11:59.999Z",
            "2026-05-03T08:00:00.000Z",
            "2026-05-04T10:12:00.000Z",
        ),
        (
            "2026-05-03T08:00:00.000Z",
            "2026-05-04T10:12:00.000Z",
            "2026-05-03T08:00:00.000Z",
            "2026-05-04T10:12:00.001Z",
        ),
        (
            "2026-05-03T08:00:00.000Z",
            "2026-05-04T10:30:00.500Z",
            "2026-05-03T08:00:00.000Z",
            "2026-05-04T10:30:00.501Z",
        ),
        (
            "2026-05-04T10:40:00.000Z",
            "2026-05-04T10:30:00.500Z",
            "2026-05-04T10:40:00.000Z",
            "2026-05-04T10:40:00.000Z",
        ),
        # Somebody has edited the table by hand.
        ("yesterday", "some time ago", "2026-05-04T10:11:12.000Z", "2026-05-04T10:12:00.000Z"),
    ],
)
def test_an_update_keeps_its_creation_and_is_newer_than_the_last(
    created_at: str, updated_after: str, created: str, updated: str
) -> None:
    fields = asff(FINDING, created_at=created_at, updated_after=updated_after)

    assert (fields["CreatedAt"], fields["UpdatedAt"]) == (created, updated)


def test_a_creation_has_one_time() -> None:
    # User Guide, "Required attributes": "Upon creation … the CreatedAt and UpdatedAt timestamps must be the same."
    fields = asff(FINDING, created_at=NOW.isoformat())

    assert fields["CreatedAt"] == fields["UpdatedAt"] == "2026-05-04T10:12:00.000Z"
    assert fields["FirstObservedAt"] == "2026-05-04T10:11:12.000Z"


REACH: Final = Reach(
    events=10_000,
    first_seen_at="2026-05-04T09:00:00Z",
    last_seen_at="2026-05-04T10:10:00Z",
    pods=("payments/api-1", "payments/api-2"),
    pod_count=40,
    nodes=("i-0a1b2c3d4e5f60718", "i-0f1b2c3d4e5f60719", "ip-10-0-3-18.eu-west-1.compute.internal", "i-am-no-instance"),
    node_count=4,
)


def test_how_far_it_reaches_stands_in_the_finding() -> None:
    fields = asff(FINDING, reach=REACH)

    assert fields["FirstObservedAt"] == "2026-05-04T09:00:00.000Z"
    assert fields["LastObservedAt"] == "2026-05-04T10:10:00.000Z"
    assert {
        key: value for key, value in fields["ProductFields"].items() if key not in asff(FINDING)["ProductFields"]
    } == {
        "pull-responder/events": "10000",
        "pull-responder/pod-count": "40",
        "pull-responder/pods": "payments/api-1, payments/api-2",
        "pull-responder/node-count": "4",
        "pull-responder/nodes": ", ".join(REACH.nodes),
    }
    # One of them is the node that the pull names; a node by its name is no resource that ASFF knows.
    assert [each["Id"] for each in fields["Resources"]] == [
        *(each["Id"] for each in asff(FINDING)["Resources"]),
        "i-0f1b2c3d4e5f60719",
    ]


def test_a_finding_that_is_over_is_passed_and_archived_and_says_how_that_is_known() -> None:
    because = "The role allows the pull since 2026-05-04T10:11:50Z."
    closed = asff(FINDING, reach=REACH, resolved_because=because)
    again = asff(FINDING, reach=REACH)

    assert closed["Compliance"] == {"Status": "PASSED"}
    assert closed["RecordState"] == "ARCHIVED"
    assert closed["Description"] == f"Resolved: {because} It was: {FINDING.explanation}"
    assert again["Compliance"] == {"Status": "FAILED"}
    assert again["RecordState"] == "ACTIVE"
    assert closed["ProductFields"].pop("pull-responder/resolution") == because
    changed = {"Compliance", "RecordState", "Description"}
    assert {**closed, **dict.fromkeys(changed)} == {**again, **dict.fromkeys(changed)}


@pytest.mark.parametrize("cause", ["unexpected_principal_denied", "pull_failing_unexplained"])
def test_where_no_configuration_was_found_wrong_none_passes(cause: str) -> None:
    finding = replace(FINDING, cause=cause)

    assert asff(finding)["Compliance"] == {"Status": "NOT_AVAILABLE"}
    closed = asff(finding, resolved_because="the failures have stopped.")
    assert (closed["Compliance"], closed["RecordState"]) == ({"Status": "NOT_AVAILABLE"}, "ARCHIVED")


@pytest.mark.parametrize("because", ["", "\x1b[0m", "long " * 500])
def test_how_it_is_known_leaves_room_for_what_it_was(because: str) -> None:
    description = asff(FINDING, resolved_because=because)["Description"]

    assert description.startswith(("Resolved: the cause is gone. It was: No identity", "Resolved: long long"))
    assert description.endswith(FINDING.explanation)


def test_too_many_fields_spare_the_last_evidence_and_no_command() -> None:
    assert PULL.denial is not None
    denial = replace(PULL.denial, policy_arn="arn:aws:iam::111111111111:policy/deny")
    finding = replace(
        FINDING,
        pull=replace(PULL, denial=denial),
        evidence=tuple(f"proof {number}" for number in range(1, 15)),
        remediation=replace(FINDING.remediation, commands=tuple(("echo", str(number)) for number in range(14))),
    )

    fields = asff(finding, reach=REACH)["ProductFields"]

    assert len(fields) == 50
    assert {f"pull-responder/remediation/command/{number}" for number in range(1, 13)} <= set(fields)
    assert {"pull-responder/evidence/1", "pull-responder/nodes", "pull-responder/denying-policy"} <= set(fields)
    assert "pull-responder/evidence/12" not in fields


def test_a_command_that_does_not_fit_in_whole_is_not_begun() -> None:
    command = ("aws", "iam", "put-role-policy", "--policy-document", "x" * 600)
    fix = Remediation("Add a policy.", "111111111111", "eu-west-1", "https://docs.aws.amazon.com/", (command,))

    fields = asff(replace(FINDING, remediation=fix))

    assert fields["Remediation"]["Recommendation"]["Text"] == "Add a policy."
    assert fields["ProductFields"]["pull-responder/remediation/command/1"] == " ".join(command)


def test_long_text_is_cut_between_words() -> None:
    fields = asff(replace(FINDING, title="broken " * 60, explanation="because " * 200))

    assert fields["Title"] == ("broken " * 33).strip() + "…: role/eks/prod-node"
    assert fields["Description"] == ("because " * 128).strip() + "…"


def test_a_finding_past_240_kb_loses_its_last_resources_or_fields() -> None:
    big = "容" * 2048
    related = tuple(Resource("Other", f"{number}{big}", "111111111111") for number in range(40))

    resources = asff(replace(FINDING, related=related))
    evidence = asff(replace(FINDING, related=(), evidence=tuple(f"{number}{'🐳' * 2048}" for number in range(12))))

    assert size_of(resources) <= 240_000  # type: ignore[arg-type]  # the API's own dictionary
    assert resources["Resources"][0]["Id"] == ROLE
    assert 10 < len(resources["Resources"]) < 32
    assert resources["ProductFields"]["pull-responder/cause"] == FINDING.cause
    assert size_of(evidence) <= 240_000  # type: ignore[arg-type]  # the API's own dictionary
    assert "pull-responder/evidence/1" in evidence["ProductFields"]
    assert "pull-responder/evidence/12" not in evidence["ProductFields"]
    assert len(evidence["Resources"]) == 4


def test_next_to_nothing_known_still_makes_a_finding() -> None:
    pull = PullFailure(symptom=Symptom.UNKNOWN, stage=None, region="eu-west-1")
    fix = Remediation(summary="", account="111111111111", region="eu-west-1", docs_url="")

    fields = asff(
        replace(
            FINDING,
            title="",
            explanation="\x1b[0m",
            evidence=(),
            remediation=fix,
            pull=pull,
            related=(),
            cluster=None,
            first_observed_at=None,
            last_observed_at=None,
        )
    )

    assert fields["Title"] == "role_lacks_pull_permissions: role/eks/prod-node"
    assert fields["Description"] == fields["Title"]
    assert fields["Remediation"] == {"Recommendation": {"Text": "See the finding's description."}}
    assert fields["CreatedAt"] == "2026-05-04T10:12:00.000Z"
    assert [each["Id"] for each in fields["Resources"]] == [ROLE]


_times = st.datetimes().map(lambda moment: moment.isoformat() + "Z") | st.sampled_from(
    [
        "soon",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59.9999Z",
        "9999-12-31T23:59:59.998Z",
        "9999-12-31T23:59:59-18:00",
    ]
)
_names = st.lists(text | st.from_regex(r"i-[0-9a-f]{17}", fullmatch=True), max_size=40).map(tuple)
_reaches = st.builds(
    Reach,
    events=st.integers(0, 10**9),
    first_seen_at=st.none() | _times,
    last_seen_at=st.none() | _times,
    pods=_names,
    pod_count=st.integers(0, 10**6),
    nodes=_names,
    node_count=st.integers(0, 10**6),
)
_told = {"reach": _reaches, "created_at": _times, "updated_after": _times, "resolved_because": text}
tolds = st.fixed_dictionaries({}, optional=_told)


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None, max_examples=50)
@given(findings, tolds)
def test_every_finding_is_one_that_the_api_takes(finding: Finding, told: Told) -> None:
    fields = asff(finding, **told)

    assert list(_violations(fields, _shape("AwsSecurityFinding"), "Finding")) == []
    assert len(fields["ProductFields"]) <= 50
    assert all(len(key) <= 128 and 0 < len(value) <= 2048 for key, value in fields["ProductFields"].items())
    assert all(_TIMESTAMP.fullmatch(fields[name]) for name in _TIMES)
    assert fields["FirstObservedAt"] <= fields["LastObservedAt"] <= fields["UpdatedAt"]
    assert size_of(fields) <= 240_000  # type: ignore[arg-type]  # the API's own dictionary
    assert not {"Workflow", "WorkflowState", "Note", "VerificationState", "UserDefinedFields"} & set(fields)
    assert not {"Severity", "Types", "Confidence", "Criticality", "RelatedFindings"} & set(fields)
    assert all(text.isprintable() for text in _texts(fields))


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        ("Title", "x" * 257, "Finding.Title: 257 is more than 256"),
        ("Title", " ", "Finding.Title: does not match .*\\S.*"),
        ("AwsAccountId", "1", "Finding.AwsAccountId: is not 12 characters long"),
        ("Compliance", {"Status": "BROKEN"}, "Finding.Compliance.Status: BROKEN is not in the enumeration"),
        ("Resources", [{"Type": "Other"}], "Finding.Resources[0]: lacks Id"),
        ("Resources", [{"Type": "Other", "Id": "x"}] * 33, "Finding.Resources: 33 is more than 32"),
        ("Color", "red", "Finding: knows no Color"),
    ],
)
def test_the_model_of_the_api_does_complain(path: str, value: object, complaint: str) -> None:
    assert list(_violations({**asff(FINDING), path: value}, _shape("AwsSecurityFinding"), "Finding")) == [complaint]


_TIMES: Final = ("CreatedAt", "UpdatedAt", "FirstObservedAt", "LastObservedAt")
# Security Hub User Guide, "Timestamps" in ASFF.
_TIMESTAMP: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:?\d\d)")


@cache
def _shape(name: str) -> Shape:
    return botocore.session.get_session().get_service_model("securityhub").shape_for(name)


def _violations(value: Any, shape: Any, path: str) -> Iterator[str]:  # noqa: ANN401 -- JSON, and botocore's untyped shapes
    """Say what the service's model forbids: the SDK itself checks neither patterns, enumerations nor most lengths,
    and the lengths stand only in the documentation that the model carries.
    """
    if shape.type_name == "structure":
        yield from (f"{path}: lacks {name}" for name in shape.required_members if name not in value)
        yield from (f"{path}: knows no {name}" for name in value if name not in shape.members)
        for name in value.keys() & shape.members.keys():
            yield from _violations(value[name], shape.members[name], f"{path}.{name}")
    elif shape.type_name == "map":
        for key, each in value.items():
            yield from _violations(key, shape.key, f"{path}.{key}")
            yield from _violations(each, shape.value, f"{path}.{key}")
    elif shape.type_name == "list":
        yield from _length_violations(len(value), shape, path)
        for number, each in enumerate(value):
            yield from _violations(each, shape.member, f"{path}[{number}]")
    else:
        assert isinstance(value, str)
        yield from _length_violations(len(value), shape, path)
        if (pattern := shape.metadata.get("pattern")) and not re.fullmatch(pattern, value):
            yield f"{path}: does not match {pattern}"
        if shape.enum and value not in shape.enum:
            yield f"{path}: {value} is not in the enumeration"


def _length_violations(length: int, shape: Any, path: str) -> Iterator[str]:  # noqa: ANN401 -- botocore's untyped shapes
    documented = html.unescape(re.sub(r"<[^>]+>", "", shape.documentation or ""))
    most = re.search(r"Maximum (?:length of|of|number of) (\d+)", documented)
    limit = int(most[1]) if most else shape.metadata.get("max")
    if limit is not None and length > limit:
        yield f"{path}: {length} is more than {limit}"
    if (exact := re.search(r"Length Constraints: (\d+)\.", documented)) and length != int(exact[1]):
        yield f"{path}: is not {exact[1]} characters long"


def _texts(value: Any) -> Iterator[str]:  # noqa: ANN401 -- JSON
    if isinstance(value, dict):
        for key, each in value.items():
            yield key
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
    else:
        yield value


OTHER: Final = "pull-responder/permissions_boundary_blocks_pull/111111111111/eu-west-1/0123456789abcdef0123"


def test_the_other_causes_of_the_problem_are_related_findings_of_our_product() -> None:
    ids = [FINDING.id, OTHER, OTHER, "pull-responder/<b>", "arn:aws:guardduty:finding/1"]
    arn = "arn:aws:securityhub:eu-west-1:123456789012:product/123456789012/default"
    fields = asff(FINDING, related=dict.fromkeys(ids, arn))

    assert fields["FindingProviderFields"]["RelatedFindings"] == [{"ProductArn": arn, "Id": OTHER}]
    assert "RelatedFindings" not in fields
    assert "RelatedFindings" not in asff(FINDING)["FindingProviderFields"]
    many = [f"{OTHER[:-2]}{number}" for number in range(10, 40)]
    assert len(asff(FINDING, related=dict.fromkeys(many, arn))["FindingProviderFields"]["RelatedFindings"]) == 10


def test_the_page_of_the_cause_is_linked_where_somebody_has_said_where_it_is() -> None:
    page = "https://wiki.example.com/role_lacks_pull_permissions"
    fields = asff(FINDING, page=page)

    assert fields["SourceUrl"] == fields["Remediation"]["Recommendation"]["Url"] == page
    assert fields["ProductFields"]["pull-responder/remediation/docs"] == FINDING.remediation.docs_url
    assert "SourceUrl" not in asff(FINDING)
    assert asff(FINDING)["Remediation"]["Recommendation"]["Url"] == FINDING.remediation.docs_url


def test_who_changed_it_and_how_it_ended_are_product_fields_and_no_note() -> None:
    deed = Deed("DetachRolePolicy", "arn:aws:sts::111111111111:assumed-role/admin/jo", "2026-05-04T10:09:00Z", "0e1c")
    ended = "The role can pull again since 10:30; it was broken for 19 minutes."
    fields = asff(FINDING, broken_by=deed, resolved_because=ended)

    assert fields["ProductFields"]["pull-responder/changed-by"] == f"{deed.words} at {deed.at}"
    assert fields["ProductFields"]["pull-responder/resolution"] == ended
    assert "Note" not in fields
    assert "pull-responder/resolution" not in asff(FINDING)["ProductFields"]


@pytest.mark.parametrize(
    ("cause", "kind", "status"),
    [
        ("nat_gateway_unavailable", "AWS Security Best Practices/Network Reachability", "NOT_AVAILABLE"),
        ("no_route_to_ecr", "AWS Security Best Practices/Network Reachability", "FAILED"),
        ("registry_throttled", None, "NOT_AVAILABLE"),
        ("image_not_found", None, "NOT_AVAILABLE"),
        ("role_lacks_pull_permissions", "AWS Security Best Practices", "FAILED"),
        ("a_cause_of_tomorrow", "AWS Security Best Practices", "FAILED"),
    ],
)
def test_what_is_only_down_or_not_there_is_no_failed_check(cause: str, kind: str | None, status: str) -> None:
    finding = replace(FINDING, cause=cause)
    is_open, ended = asff(finding), asff(finding, resolved_because="It is over.")

    types = "/".join(filter(None, ["Software and Configuration Checks", kind]))
    assert is_open["FindingProviderFields"]["Types"] == [types]
    assert is_open["Compliance"]["Status"] == status
    assert ended["Compliance"]["Status"] == ("PASSED" if status == "FAILED" else status)


def test_every_cause_that_is_only_about_availability_is_known() -> None:
    assert BY_ID.keys() >= AVAILABILITY
