"""CloudTrail records of denied pulls, one fixture for each identity, reason and partition, and near misses."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pull_responder.events.cloudtrail import read_envelope, read_record
from pull_responder.events.outcome import Skipped, UnusableEvent
from pull_responder.model.pull import PolicyType, Principal, PrincipalKind, PullFailure, Stage, Symptom

EVENTS = Path(__file__).parents[2] / "events"
DENIALS = sorted(path.stem for path in (EVENTS / "ecr_denials").glob("*.json"))
NODE = "arn:aws:sts::111111111111:assumed-role/eks-node/i-0123456789abcdef0"
REPOSITORY = "arn:aws:ecr:us-east-1:111111111111:repository/team/payments"


def load(name: str) -> dict[str, Any]:
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return event


def denial(name: str, **changes: object) -> PullFailure:
    """The pull that a fixture holds, after `changes` of its record; None takes a field away."""
    envelope = load(f"ecr_denials/{name}")
    for field, value in changes.items():
        envelope["detail"][field] = value
    envelope["detail"] = {key: value for key, value in envelope["detail"].items() if changes.get(key, "") is not None}
    pull = read_envelope(envelope)
    assert isinstance(pull, PullFailure)
    return pull


def test_the_record_as_ecr_sends_it() -> None:
    pull = denial("node_role_as_ecr_sends_it")
    assert pull.denial is not None
    assert pull == PullFailure(
        symptom=Symptom.ACCESS_DENIED,
        stage=Stage.MANIFEST,
        region="us-east-1",
        account="111111111111",
        principal=Principal(
            PrincipalKind.ROLE,
            NODE,
            "aws",
            "111111111111",
            "eks-node",
            session_name="i-0123456789abcdef0",
            role_arn="arn:aws:iam::111111111111:role/nodes/eks-node",
            role_delivery="2.0",
            issued_at="2026-03-01T09:12:44Z",
        ),
        denial=pull.denial,
        registry_account="111111111111",
        repository="team/payments",
        node="i-0123456789abcdef0",
        observed_at="2026-03-01T12:00:00Z",
        event_id=load("ecr_denials/node_role_as_ecr_sends_it")["detail"]["eventID"],
    )
    assert (pull.denial.action, pull.denial.resource) == ("ecr:BatchGetImage", REPOSITORY)
    assert (pull.denial.policy_type, pull.denial.explicit) == (PolicyType.IDENTITY, False)


def test_a_record_of_four_fields_is_enough() -> None:
    envelope = load("ecr_denials/minimal_record")
    assert sorted(envelope["detail"]) == ["errorCode", "errorMessage", "eventName", "userIdentity"]
    pull = read_envelope(envelope)
    assert isinstance(pull, PullFailure)
    assert pull.repository_arn == REPOSITORY
    assert (pull.account, pull.observed_at, pull.event_id) == ("111111111111", "2026-03-01T12:00:00Z", envelope["id"])


ROLE, USER, UNKNOWN = PrincipalKind.ROLE, PrincipalKind.USER, PrincipalKind.UNKNOWN


@pytest.mark.parametrize(
    ("name", "kind", "arn", "account", "principal_name", "role_arn"),
    [
        (
            "fargate_role",
            ROLE,
            "arn:aws:sts::111111111111:assumed-role/fargate-pods/fargate-pods-1745",
            "111111111111",
            "fargate-pods",
            "arn:aws:iam::111111111111:role/fargate-pods",
        ),
        ("iam_user", USER, "arn:aws:iam::111111111111:user/build/ci-puller", "111111111111", "ci-puller", None),
        ("root_user", PrincipalKind.ROOT, "arn:aws:iam::111111111111:root", "111111111111", None, None),
        (
            "federated_user",
            PrincipalKind.FEDERATED_USER,
            "arn:aws:sts::111111111111:federated-user/alice",
            "111111111111",
            "alice",
            None,
        ),
        ("aws_service", PrincipalKind.SERVICE, "", None, "lambda.amazonaws.com", None),
        (
            "cross_account_in_callers_trail",
            ROLE,
            NODE.replace("1" * 12, "2" * 12),
            "222222222222",
            "eks-node",
            "arn:aws:iam::222222222222:role/eks-node",
        ),
        (
            "cross_account_in_owners_trail",
            ROLE,
            NODE.replace("1" * 12, "2" * 12),
            "222222222222",
            "eks-node",
            None,
        ),
        ("cross_account_unnamed", ROLE, "", "222222222222", None, None),
        (
            "role_itself",
            ROLE,
            "arn:aws:iam::111111111111:role/svc/puller",
            "111111111111",
            "puller",
            "arn:aws:iam::111111111111:role/svc/puller",
        ),
        ("saml_user", UNKNOWN, "", None, "alice", None),
        ("web_identity_user", UNKNOWN, "", None, "1234", None),
        ("identity_center_user", UNKNOWN, "", "111111111111", None, None),
        ("anonymous", UNKNOWN, "", None, "anonymous", None),
    ],
)
def test_every_identity(  # noqa: PLR0913, PLR0917 -- the columns of the table
    name: str, kind: PrincipalKind, arn: str, account: str | None, principal_name: str | None, role_arn: str | None
) -> None:
    pull = denial(name)
    assert pull.repository_arn == REPOSITORY
    principal = pull.principal
    assert principal is not None
    assert (principal.kind, principal.arn, principal.account, principal.name, principal.role_arn) == (
        kind,
        arn,
        account,
        principal_name,
        role_arn,
    )


def test_identities_without_an_arn_where_the_message_names_nobody() -> None:
    def principal(identity: dict[str, str]) -> Principal | None:
        return denial("node_role_every_field", errorMessage="Access Denied", userIdentity=identity).principal

    service = {"type": "AWSService", "invokedBy": "lambda.amazonaws.com"}
    assert principal(service) == Principal(PrincipalKind.SERVICE, "", "aws", None, "lambda.amazonaws.com")
    user = {"type": "AWSAccount", "principalId": "AIDAEXAMPLEUSER00000", "accountId": "222222222222"}
    assert principal(user) == Principal(USER, "", "aws", "222222222222", None)


def test_the_partition_of_the_region_where_no_arn_tells() -> None:
    identity = load("ecr_denials/identity_center_user")["detail"]["userIdentity"]
    pull = denial("token", errorMessage="Access Denied", userIdentity=identity, awsRegion="cn-north-1")
    assert pull.partition == "aws-cn"


def test_the_partition_of_the_resource_where_no_arn_of_the_principal_tells() -> None:
    message = load("ecr_denials/partition_aws_mars")["detail"]["errorMessage"].split()
    message[1] = "lambda.amazonaws.com"
    principal = denial("partition_aws_mars", errorMessage=" ".join(message)).principal
    assert principal == Principal(PrincipalKind.SERVICE, "", "aws-mars", None, "lambda.amazonaws.com")


def test_an_unknown_identity_is_nobody() -> None:
    assert denial("unknown_identity").principal is None


def test_both_sides_of_a_cross_account_pull() -> None:
    caller, owner = denial("cross_account_in_callers_trail"), denial("cross_account_in_owners_trail")
    assert (caller.account, owner.account) == ("222222222222", "111111111111")
    assert caller.registry_account == owner.registry_account == "111111111111"
    assert caller.node == owner.node == denial("cross_account_unnamed").node == "i-0123456789abcdef0"


def test_the_identity_stands_in_for_a_message_without_a_principal() -> None:
    pull = denial("node_role_every_field", errorMessage="Access Denied")
    assert pull.principal == denial("node_role_every_field").principal
    identity = {**load("ecr_denials/node_role_every_field")["detail"]["userIdentity"], "arn": 7}
    by_issuer = denial("node_role_every_field", errorMessage="Access Denied", userIdentity=identity).principal
    assert by_issuer == Principal(
        ROLE,
        "",
        "aws",
        "111111111111",
        "eks-node",
        session_name="i-0123456789abcdef0",
        role_arn="arn:aws:iam::111111111111:role/nodes/eks-node",
        role_delivery="2.0",
        issued_at="2026-03-01T09:12:44Z",
    )


@pytest.mark.parametrize("created", [None, 1_772_356_364, "yesterday", "2026-03-01", {}])
def test_a_time_of_issue_that_is_none_is_not_known(created: object) -> None:
    identity = load("ecr_denials/node_role_every_field")["detail"]["userIdentity"]
    session = {**identity["sessionContext"], "attributes": {"creationDate": created}}
    principal = denial("node_role_every_field", userIdentity={**identity, "sessionContext": session}).principal
    assert principal is not None
    assert (principal.issued_at, principal.role_delivery) == (None, "2.0")


EKS_PROVIDER = "arn:aws:iam::111111111111:oidc-provider/oidc.eks.us-east-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B7"


@pytest.mark.parametrize(
    ("provider", "known"),
    [
        (EKS_PROVIDER, EKS_PROVIDER),
        (
            "arn:aws:iam::111111111111:oidc-provider/localhost:4566/oidc/id/A1",
            "arn:aws:iam::111111111111:oidc-provider/localhost:4566/oidc/id/A1",
        ),
        ("arn:aws:iam::111111111111:saml-provider/corporate", None),
        ("arn:aws:sts::111111111111:oidc-provider/a", None),
        ("arn:aws:iam::111111111111:oidc-provider/a;b", None),
        (f"arn:aws:iam::111111111111:oidc-provider/{'a' * 256}", None),
        ("accounts.google.com", None),
        (["arn:aws:iam::111111111111:oidc-provider/a"], None),
        (None, None),
    ],
)
def test_the_provider_that_a_session_was_issued_for(provider: object, known: str | None) -> None:
    identity = load("ecr_denials/node_role_every_field")["detail"]["userIdentity"]
    data = {"federatedProvider": provider, "attributes": {"a" * 9: "b"}}
    session = {**identity["sessionContext"], "webIdFederationData": data}
    principal = denial("node_role_every_field", userIdentity={**identity, "sessionContext": session}).principal
    assert principal
    assert principal.web_identity == known
    assert denial("node_role_every_field").principal == replace(principal, web_identity=None)


def test_a_session_issued_by_another_role_lends_no_path() -> None:
    message = (
        f"User: {NODE.replace('eks-node', 'other')} is not authorized to perform: ecr:BatchGetImage on resource: *"
    )
    principal = denial("node_role_every_field", errorMessage=message).principal
    assert principal is not None
    assert (principal.name, principal.role_arn) == ("other", None)


SCP = "arn:aws:organizations::222222222222:policy/o-a1b2c3d4e5/service_control_policy/p-examplescp1"
RCP = "arn:aws:organizations::222222222222:policy/o-a1b2c3d4e5/resource_control_policy/p-examplercp1"


@pytest.mark.parametrize(
    ("name", "policy_type", "explicit", "policy_arn"),
    [
        ("identity_policy_explicit", PolicyType.IDENTITY, True, None),
        (
            "identity_policy_explicit_with_arn",
            PolicyType.IDENTITY,
            True,
            "arn:aws:iam::111111111111:policy/deny/no-pulls",
        ),
        ("boundary_implicit", PolicyType.BOUNDARY, False, None),
        (
            "boundary_explicit_with_arn",
            PolicyType.BOUNDARY,
            True,
            "arn:aws:iam::111111111111:policy/node-boundary",
        ),
        ("session_policy_implicit", PolicyType.SESSION, False, None),
        ("session_policy_explicit", PolicyType.SESSION, True, None),
        ("repository_policy_implicit", PolicyType.RESOURCE, False, None),
        ("repository_policy_explicit", PolicyType.RESOURCE, True, None),
        ("scp_implicit", PolicyType.SERVICE_CONTROL, False, None),
        ("scp_explicit_with_arn", PolicyType.SERVICE_CONTROL, True, SCP),
        ("rcp_implicit", PolicyType.RESOURCE_CONTROL, False, None),
        ("rcp_explicit_with_arn", PolicyType.RESOURCE_CONTROL, True, RCP),
        ("vpc_endpoint_policy_implicit", PolicyType.VPC_ENDPOINT, False, None),
        ("vpc_endpoint_policy_explicit", PolicyType.VPC_ENDPOINT, True, None),
        ("vpc_endpoint_policy_through_scp", PolicyType.SERVICE_CONTROL, True, None),
        ("explicit_deny_of_unnamed_policy", None, True, None),
        ("no_reason", None, False, None),
    ],
)
def test_every_reason(name: str, policy_type: PolicyType | None, explicit: bool, policy_arn: str | None) -> None:  # noqa: FBT001 -- a column of the table
    words = denial(name).denial
    assert words is not None
    assert (words.policy_type, words.explicit, words.policy_arn) == (policy_type, explicit, policy_arn)
    assert words.resource == REPOSITORY


@pytest.mark.parametrize(
    ("name", "partition", "image"),
    [
        ("aws_cn", "aws-cn", "111111111111.dkr.ecr.cn-northwest-1.amazonaws.com.cn/team/payments"),
        ("aws_us_gov", "aws-us-gov", "111111111111.dkr.ecr.us-gov-west-1.amazonaws.com/team/payments"),
        ("aws_iso", "aws-iso", "111111111111.dkr.ecr.us-iso-east-1.c2s.ic.gov/team/payments"),
        ("aws_iso_b", "aws-iso-b", "111111111111.dkr.ecr.us-isob-east-1.sc2s.sgov.gov/team/payments"),
        ("aws_eusc", "aws-eusc", "111111111111.dkr.ecr.eusc-de-east-1.amazonaws.eu/team/payments"),
        ("aws_mars", "aws-mars", None),
    ],
)
def test_every_partition(name: str, partition: str, image: str | None) -> None:
    pull = denial(f"partition_{name}")
    assert (pull.partition, pull.image) == (partition, image)
    assert pull.repository == "team/payments"
    assert pull.principal is not None
    assert pull.principal.role_arn == f"arn:{partition}:iam::111111111111:role/eks-node"


def test_the_stages_of_a_pull() -> None:
    token, layer = denial("token"), denial("layer")
    assert (token.stage, token.repository, token.registry_account, token.image) == (Stage.TOKEN, None, None, None)
    assert token.denial is not None
    assert token.denial.resource == "*"
    assert (layer.stage, layer.repository_arn, layer.digest) == (Stage.LAYER, REPOSITORY, None)


def test_a_pull_through_cache_import_is_denied_in_the_name_of_the_pull() -> None:
    pull = denial("pull_through_import")
    assert pull.denial is not None
    assert (pull.stage, pull.denial.action) == (Stage.MANIFEST, "ecr:BatchImportUpstreamImage")


def test_the_image_of_the_request() -> None:
    assert denial("node_role_every_field").tag == "v1.4.2"
    assert denial("by_digest").digest == "sha256:" + "9f" * 32


@pytest.mark.parametrize(
    ("request_parameters", "expected"),
    [
        ({"repositoryName": "team/payments"}, ("111111111111", "team/payments", None, None)),
        ({"registryId": "222222222222", "repositoryName": "other"}, ("222222222222", "other", None, None)),
        ({"repositoryName": "team/payments", "imageIds": []}, ("111111111111", "team/payments", None, None)),
        ({"repositoryName": "team/payments", "imageIds": ["v1"]}, ("111111111111", "team/payments", None, None)),
        (
            {"repositoryName": "team/payments", "imageIds": {"imageTag": "v1"}},
            ("111111111111", "team/payments", None, None),
        ),
        (
            {"repositoryName": "team/payments", "imageIds": [{"imageTag": "v 1", "imageDigest": "sha256:0"}]},
            ("111111111111", "team/payments", None, None),
        ),
        ({"repositoryName": "Team/Payments", "imageIds": [{"imageTag": "v1"}]}, (None, None, None, None)),
        ({"repositoryName": ["team/payments"]}, (None, None, None, None)),
        ([], (None, None, None, None)),
        ("team/payments", (None, None, None, None)),
    ],
)
def test_the_request_where_the_message_names_nothing(
    request_parameters: object, expected: tuple[str | None, ...]
) -> None:
    pull = denial("node_role_as_ecr_sends_it", errorMessage="Access Denied", requestParameters=request_parameters)
    assert (pull.registry_account, pull.repository, pull.tag, pull.digest) == expected


def test_the_message_outranks_the_request() -> None:
    other = {"registryId": "222222222222", "repositoryName": "other", "imageIds": [{"imageTag": "v1"}]}
    pull = denial("node_role_every_field", requestParameters=other)
    assert (pull.repository_arn, pull.tag) == (REPOSITORY, None)


def test_the_request_completes_a_message_that_breaks_off() -> None:
    cut = load("ecr_denials/no_reason")["detail"]["errorMessage"].removesuffix("ments")
    request = {"registryId": "111111111111", "repositoryName": "team/payments", "imageIds": [{"imageTag": "v1"}]}
    pull = denial("no_reason", errorMessage=cut, requestParameters=request)
    assert (pull.repository, pull.tag) == ("team/payments", "v1")


def test_a_repository_with_a_reason_after_it_is_whole() -> None:
    message = load("ecr_denials/scp_implicit")["detail"]["errorMessage"].replace("team/payments", "team")
    assert (
        denial("scp_implicit", errorMessage=message, requestParameters={"repositoryName": "team/x"}).repository
        == "team"
    )


def test_the_resources_of_the_record_where_the_message_names_none() -> None:
    resources = [7, {"ARN": "arn:aws:iam::111111111111:role/x"}, {"ARN": REPOSITORY.replace("us-east-1", "eu-west-1")}]
    pull = denial("node_role_as_ecr_sends_it", errorMessage="Access Denied", resources=resources)
    assert (pull.region, pull.repository) == ("eu-west-1", "team/payments")


@pytest.mark.parametrize("repository", ["team/pay...", "Team", "a//b", "x" * 257, "*"])
def test_a_repository_that_cannot_be_is_dropped(repository: str) -> None:
    message = load("ecr_denials/no_reason")["detail"]["errorMessage"].replace("team/payments", repository)
    pull = denial("no_reason", errorMessage=message)
    assert (pull.repository, pull.repository_arn, pull.region) == (None, None, "us-east-1")


def test_an_ecr_resource_that_is_no_repository_names_none() -> None:
    message = load("ecr_denials/no_reason")["detail"]["errorMessage"].replace(":repository/", ":registry/")
    assert denial("no_reason", errorMessage=message).repository is None


def test_a_network_activity_event_blames_the_endpoint() -> None:
    message = "The request was denied due to a VPC endpoint policy"
    pull = denial("node_role_every_field", errorCode="VpceAccessDenied", errorMessage=message)
    assert pull.denial is not None
    assert (pull.denial.policy_type, pull.repository) == (PolicyType.VPC_ENDPOINT, "team/payments")


def test_a_network_activity_event_comes_by_its_own_detail_type() -> None:
    event = load("ecr_denials/node_role_every_field")
    event["detail-type"] = "AWS Network Activity Event via CloudTrail"
    assert isinstance(read_envelope(event), PullFailure)
    assert isinstance(read_envelope({**event, "detail-type": "AWS Insight via CloudTrail"}), Skipped)


def test_the_region_of_the_registry_is_not_that_of_the_record() -> None:
    message = load("ecr_denials/no_reason")["detail"]["errorMessage"].replace("us-east-1", "eu-west-1")
    assert denial("no_reason", errorMessage=message).region == "eu-west-1"
    assert denial("token", awsRegion=None).region == "us-east-1"
    assert denial("token", awsRegion="eu-west-1").region == "eu-west-1"
    assert denial("token", awsRegion="; rm -rf /").region == "us-east-1"


def test_a_denial_without_a_region_is_skipped() -> None:
    record = load("ecr_denials/token")["detail"]
    del record["awsRegion"]
    assert read_record(record) == Skipped("a denied GetAuthorizationToken without a region")


@pytest.mark.parametrize("wrong", [None, 7, True, [], {}, ["x"], {"x": 1}, "", "\x1b[31m", "x" * 300_000])
@pytest.mark.parametrize(
    "field",
    ["userIdentity", "errorMessage", "requestParameters", "resources", "recipientAccountId", "awsRegion", "eventTime"],
)
def test_a_field_that_is_absent_or_wrong_changes_nothing_else(field: str, wrong: object) -> None:
    pull = denial("node_role_every_field", **{field: wrong})
    assert pull.symptom is Symptom.ACCESS_DENIED
    assert (pull.region, pull.repository, pull.account) == ("us-east-1", "team/payments", "111111111111")
    assert pull.observed_at == "2026-03-01T12:00:00Z"
    assert pull.node == "i-0123456789abcdef0"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("pull_succeeded", "BatchGetImage succeeded"),
        ("push_denied", "PutImage is not part of a pull"),
        ("layer_check_denied", "BatchCheckLayerAvailability is not part of a pull"),
        ("describe_images_denied", "DescribeImages is not part of a pull"),
        ("repository_creation_denied", "CreateRepository is not part of a pull"),
        ("repository_not_found", "BatchGetImage failed with RepositoryNotFoundException, which is not a denial"),
        ("throttled", "BatchGetImage failed with ThrottlingException, which is not a denial"),
        ("token_of_ecr_public", "an event of aws.ecr-public, not of Amazon ECR"),
        ("token_of_codeartifact", "an event of aws.codeartifact, not of Amazon ECR"),
        ("ec2_call_denied", "an event of aws.ec2, not of Amazon ECR"),
        ("image_pushed", "an event of type ECR Image Action, not an API call"),
        ("custom_event", "an event of com.example.deploys, not of Amazon ECR"),
    ],
)
def test_what_is_not_ours_is_skipped_with_a_word(name: str, reason: str) -> None:
    assert read_envelope(load(f"not_ours/{name}")) == Skipped(reason)


@pytest.mark.parametrize("missing", ["eventTime", "eventID", "userIdentity"])
def test_a_record_that_was_cut_is_not_said_to_have_succeeded(missing: str) -> None:
    event = load("not_ours/pull_succeeded")
    del event["detail"][missing]
    with pytest.raises(
        UnusableEvent, match=f"^detail is incomplete: .* no {missing}, .* whether BatchGetImage failed$"
    ):
        read_envelope(event)
    with pytest.raises(UnusableEvent, match=r"^the record is incomplete: "):
        read_record({"eventSource": "ecr.amazonaws.com", "eventName": "GetAuthorizationToken"})


def test_a_message_of_an_error_without_its_code_is_not_said_to_have_succeeded() -> None:
    event = load("not_ours/pull_succeeded")
    event["detail"]["errorMessage"] = "User: x is not authorized"
    with pytest.raises(UnusableEvent, match="an errorMessage and no errorCode"):
        read_envelope(event)


def test_a_record_of_another_call_may_lack_what_it_likes() -> None:
    record = {"eventSource": "ecr.amazonaws.com", "eventName": "PutImage"}
    assert read_record(record) == Skipped("PutImage is not part of a pull")


def test_another_registrys_token_is_skipped_in_a_bare_record_too() -> None:
    record = load("not_ours/token_of_ecr_public")["detail"]
    assert read_record(record) == Skipped("a call to ecr-public.amazonaws.com, not to Amazon ECR")
    del record["eventSource"]
    assert read_record(record) == Skipped("a call that does not name its service")


def test_a_bare_record_without_event_source_is_known_by_its_message() -> None:
    record = load("ecr_denials/minimal_record")["detail"]
    pull = read_record(record)
    assert isinstance(pull, PullFailure)
    assert (pull.repository_arn, pull.account) == (REPOSITORY, None)


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("eventName", None, "detail.eventName is not a string but null"),
        ("eventName", ["BatchGetImage"], "detail.eventName is not a string but a list"),
        ("errorCode", 403, "detail.errorCode is not a string but a number"),
    ],
)
def test_a_record_that_is_none_is_unusable(field: str, value: object, problem: str) -> None:
    envelope = load("ecr_denials/token")
    envelope["detail"][field] = value
    with pytest.raises(UnusableEvent) as raised:
        read_envelope(envelope)
    assert str(raised.value) == problem


def test_words_of_the_event_come_out_clean_and_short() -> None:
    record = {"eventName": "Put\x1b[31m\nImage" + "x" * 9000, "eventSource": "ecr.amazonaws.com"}
    assert read_record(record) == Skipped(f"Put Image{'x' * 71} is not part of a pull")


JSON_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=20), st.just(NODE), st.just(REPOSITORY)),
    lambda children: st.one_of(
        st.lists(children, max_size=3), st.dictionaries(st.text(max_size=8), children, max_size=3)
    ),
    max_leaves=8,
)


@given(
    st.sampled_from(DENIALS),
    st.dictionaries(
        st.sampled_from(
            ["userIdentity", "errorMessage", "requestParameters", "resources", "awsRegion", "eventTime", "eventID"]
        ),
        JSON_VALUES,
    ),
)
def test_any_values_in_optional_fields_are_read(name: str, changes: dict[str, object]) -> None:
    envelope = load(f"ecr_denials/{name}")
    envelope["detail"].update(changes)
    result = read_envelope(envelope)
    assert isinstance(result, PullFailure)
    assert result.stage is not None


@pytest.mark.parametrize("source", ["aws.ecr", None])
@pytest.mark.parametrize(
    "words", ["User: x is not authorized to perform: ecr:GetAuthorizationToken on resource: *", "no"]
)
def test_a_record_that_does_not_name_its_service_is_ecrs_by_its_source_or_its_words(
    source: str | None, words: str
) -> None:
    record = {
        "eventName": "GetAuthorizationToken",
        "awsRegion": "us-east-1",
        "errorCode": "AccessDenied",
        "errorMessage": words,
        "eventTime": "2026-03-01T12:00:00Z",
        "eventID": "a-1",
        "userIdentity": {"type": "AssumedRole", "arn": "arn:aws:sts::111111111111:assumed-role/node/i-1"},
    }
    read = read_envelope({"source": source, "detail": record})
    if source or " ecr:" in words:
        assert isinstance(read, PullFailure)
        assert read.stage is Stage.TOKEN
    else:
        assert read == Skipped("a call that does not name its service")


def test_what_a_record_says_of_itself_counts_before_what_its_event_says() -> None:
    event = load("ecr_denials/token") | {"account": "333333333333", "time": "2026-03-01T12:09:00Z", "id": "e-9"}
    event["detail"] |= {"recipientAccountId": "222222222222", "eventTime": "2026-03-01T12:00:00Z", "eventID": "e-1"}
    pull = read_envelope(event)
    assert isinstance(pull, PullFailure)
    assert (pull.account, pull.observed_at, pull.event_id) == ("222222222222", "2026-03-01T12:00:00Z", "e-1")
    event["detail"] |= {"recipientAccountId": "me", "eventTime": "soon", "eventID": None}
    pull = read_envelope(event)
    assert isinstance(pull, PullFailure)
    assert (pull.account, pull.observed_at, pull.event_id) == ("333333333333", "2026-03-01T12:09:00Z", "e-9")


@pytest.mark.parametrize(("where", "named"), [("", "detail"), ("letter", "letter.detail")])
def test_where_a_detail_is_malformed_is_said(where: str, named: str) -> None:
    with pytest.raises(UnusableEvent, match=f"^{named} is not an object but a list$"):
        read_envelope({"source": "aws.ecr", "detail": []}, where=where)
