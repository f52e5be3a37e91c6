"""What a message can mean, held against the catalogue of causes and the rules of reporting.

The catalogue says by itself, beside the checks, where rule 1 wants them to be looked for. A cause that is not in it
says that in its check alone.
"""

from __future__ import annotations

from itertools import product

import pytest

from pull_responder.checks import CHECKS
from pull_responder.checks.check import Check
from pull_responder.events.image_reference import parse_image
from pull_responder.events.kubelet_message import KubeletMessage, read_message
from pull_responder.meanings import can_mean
from pull_responder.model.pull import Denial, PolicyType, Stage, Symptom

AUTHORIZATION = {
    *("role_lacks_pull_permissions", "role_policy_denies_pull", "permissions_boundary_blocks_pull", "scp_blocks_pull"),
    *("rcp_blocks_pull", "session_policy_blocks_pull", "repository_policy_lacks_grant"),
    *("repository_policy_denies_pull", "registry_policy_denies_pull"),
}
ENDPOINT_POLICIES = {"endpoint_policy_blocks_pull", "s3_endpoint_policy_blocks_layers"}
IDENTITY = {"instance_profile_missing", "role_trust_policy_excludes_service", "instance_metadata_disabled"}
REPOSITORY = {"repository_key_unusable", "pull_through_cache_failing", "registry_token_expired"}
WAY = {
    *("no_route_to_ecr", "nat_gateway_unavailable", "public_ip_missing", "security_group_blocks_egress"),
    *("network_acl_blocks_traffic", "vpc_endpoint_missing", "vpc_endpoint_unavailable"),
    *("endpoint_private_dns_disabled", "endpoint_security_group_blocks_ingress", "vpc_dns_disabled"),
}
TO_S3 = {"s3_endpoint_not_in_route_table"}
OWN = {
    *("repository_not_found", "image_not_found", "image_platform_mismatch", "registry_throttled", "node_disk_full"),
    "node_group_unhealthy",
    *("credential_provider_failing", "proxy_blocks_pull", "registry_certificate_untrusted", "registry_unavailable"),
}
NEVER_SAID = {"unexpected_principal_denied", "pull_failing_unexplained", "responder_is_blind"}
CATALOGUE = AUTHORIZATION | ENDPOINT_POLICIES | IDENTITY | REPOSITORY | WAY | TO_S3 | OWN | NEVER_SAID

# Rule 1: where each symptom says to look.
LOOK_AT = {
    # To another account, ECR answers 403 for a repository that does not exist.
    Symptom.ACCESS_DENIED: AUTHORIZATION | ENDPOINT_POLICIES | REPOSITORY | {"repository_not_found"},
    Symptom.NOT_AUTHENTICATED: AUTHORIZATION
    | ENDPOINT_POLICIES
    | IDENTITY
    | WAY
    | {"node_group_unhealthy", "credential_provider_failing"},
    Symptom.TIMEOUT: WAY | TO_S3,
    Symptom.NAME_RESOLUTION_FAILED: WAY | TO_S3,
    Symptom.NOT_FOUND: {"repository_not_found", "image_not_found", "pull_through_cache_failing"},
    Symptom.TOKEN_EXPIRED: {"registry_token_expired"},
    Symptom.PLATFORM_MISMATCH: {"image_platform_mismatch"},
    Symptom.THROTTLED: {"registry_throttled"},
    Symptom.DISK_FULL: {"node_disk_full"},
    Symptom.PROXY_FAILED: {"proxy_blocks_pull"},
    Symptom.CERTIFICATE_UNTRUSTED: {"registry_certificate_untrusted"},
    Symptom.REGISTRY_ERROR: {"registry_unavailable"},
    Symptom.SIGNATURE_REJECTED: set(),
    Symptom.KUBELET_THROTTLED: set(),
    Symptom.DOWNLOAD_CORRUPT: set(),
    Symptom.CANCELED: set(),
    Symptom.UNKNOWN: CATALOGUE - NEVER_SAID,
}
IMAGE = parse_image("111111111111.dkr.ecr.us-east-1.amazonaws.com/team/app:v1")


def message(symptom: Symptom, stage: Stage | None = None, denial: Denial | None = None) -> KubeletMessage:
    return KubeletMessage(symptom, stage, IMAGE, denial)


@pytest.mark.parametrize(("symptom", "stage"), [*product(Symptom, [*Stage, None])])
def test_a_symptom_means_only_what_its_rule_says(symptom: Symptom, stage: Stage | None) -> None:
    causes = can_mean(message(symptom, stage))
    beyond = set(causes) & CATALOGUE - LOOK_AT.get(symptom, set())
    assert not beyond, (
        f"checks/{min(beyond)}.py: it explains {symptom}, where rule 1 does not look for it: if it should, add it to "
        "LOOK_AT in tests/unit/events/test_meanings.py"
    )
    assert len(causes) == len(set(causes))


def test_the_catalogue_names_causes_that_there_are() -> None:
    assert {check.id for check in CHECKS} >= CATALOGUE


@pytest.mark.parametrize(
    ("policy", "causes"),
    [
        (PolicyType.IDENTITY, ["role_lacks_pull_permissions"]),
        (
            PolicyType.RESOURCE,
            ["repository_policy_lacks_grant", "repository_not_found", "role_lacks_pull_permissions"],
        ),
        (PolicyType.SERVICE_CONTROL, ["scp_blocks_pull"]),
    ],
)
def test_a_refused_action_that_no_pull_needs_still_names_the_policy(policy: PolicyType, causes: list[str]) -> None:
    denial = Denial("ecr:DescribeImages", "*", "not authorized", policy)
    assert list(can_mean(message(Symptom.ACCESS_DENIED, None, denial))) == causes


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_every_check_can_be_meant_by_some_message(check: Check) -> None:
    assert check.explains or check.id in NEVER_SAID, (
        f"checks/{check.id}.py: its CHECK explains no symptom, so that no message can mean {check.id}"
    )
    for each in check.explains:
        meant = {cause for stage in each.stages for cause in can_mean(message(each.symptom, stage))}
        assert check.id in meant, f"checks/{check.id}.py: no message of {each.symptom} can mean it after all"


def test_an_unknown_message_can_mean_only_what_its_stage_leaves() -> None:
    at_unpacking = set(can_mean(message(Symptom.UNKNOWN, Stage.UNPACK))) & CATALOGUE
    assert at_unpacking == {"node_disk_full", "image_platform_mismatch"}
    at_layers = set(can_mean(message(Symptom.UNKNOWN, Stage.LAYER)))
    assert not at_layers & {"instance_profile_missing", "instance_metadata_disabled", "repository_not_found"}
    assert {"s3_endpoint_not_in_route_table", "security_group_blocks_egress", "repository_key_unusable"} <= at_layers
    assert not set(can_mean(message(Symptom.UNKNOWN, Stage.MANIFEST))) & TO_S3


@pytest.mark.parametrize("text", ["hello world", "", "NAME READY STATUS\nweb-0 0/1 ImagePullBackOff", "OOMKilled"])
def test_what_is_no_pull_message_means_nothing(text: str) -> None:
    read = read_message(text)
    assert (read.tells_of_pull, can_mean(read)) == (False, ())


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.id)
def test_an_unknown_message_can_mean_everything(check: Check) -> None:
    if check.id not in NEVER_SAID:
        assert check.id in can_mean(message(Symptom.UNKNOWN)), (
            f"checks/{check.id}.py: add Explains(Symptom.UNKNOWN, rank) to its explains, as a message that is not "
            "understood can mean everything"
        )


def test_an_unknown_message_means_nothing_that_no_message_says() -> None:
    assert not set(can_mean(message(Symptom.UNKNOWN))) & NEVER_SAID


@pytest.mark.parametrize(
    ("symptom", "stage", "first", "absent"),
    [
        (Symptom.NOT_AUTHENTICATED, Stage.MANIFEST, "role_lacks_pull_permissions", "s3_endpoint_policy_blocks_layers"),
        (Symptom.ACCESS_DENIED, Stage.MANIFEST, "role_lacks_pull_permissions", "no_route_to_ecr"),
        (Symptom.ACCESS_DENIED, Stage.TOKEN, "role_lacks_pull_permissions", "repository_policy_lacks_grant"),
        (Symptom.ACCESS_DENIED, Stage.LAYER, "s3_endpoint_policy_blocks_layers", "vpc_endpoint_missing"),
        (Symptom.TIMEOUT, Stage.MANIFEST, "no_route_to_ecr", "s3_endpoint_not_in_route_table"),
        (Symptom.TIMEOUT, Stage.LAYER, "s3_endpoint_not_in_route_table", "role_lacks_pull_permissions"),
        (Symptom.NAME_RESOLUTION_FAILED, Stage.MANIFEST, "vpc_dns_disabled", "role_lacks_pull_permissions"),
    ],
)
def test_the_stage_tells_more(symptom: Symptom, stage: Stage, first: str, absent: str) -> None:
    causes = can_mean(message(symptom, stage))
    assert causes[0] == first
    assert absent not in causes


@pytest.mark.parametrize("cause", sorted(IDENTITY | {"vpc_endpoint_missing", "no_route_to_ecr"}))
def test_no_credentials_can_mean_that_no_token_could_be_fetched(cause: str) -> None:
    read = read_message(
        "Get https://111111111111.dkr.ecr.us-east-1.amazonaws.com/v2/a/manifests/b: no basic auth credentials"
    )
    assert cause in can_mean(read)


@pytest.mark.parametrize(("policy_type", "explicit"), [*product(PolicyType, [True, False])])
def test_the_policy_that_aws_names_is_the_cause(policy_type: PolicyType, explicit: bool) -> None:  # noqa: FBT001 -- a column of the table
    denial = Denial("ecr:BatchGetImage", "*", "", policy_type, explicit)
    causes = can_mean(message(Symptom.ACCESS_DENIED, Stage.MANIFEST, denial))
    named = {check.id for check in CHECKS if check.policy_type is policy_type and check.explicit in (None, explicit)}
    assert set(causes) & named
    # What does not exist has no policy that allows the pull either.
    no_name = {"repository_not_found"} if policy_type is PolicyType.RESOURCE and not explicit else set()
    assert set(causes) <= AUTHORIZATION | ENDPOINT_POLICIES | no_name


def test_an_explicit_deny_is_no_missing_allow() -> None:
    denial = Denial("ecr:BatchGetImage", "*", "", explicit=True)
    causes = can_mean(message(Symptom.ACCESS_DENIED, Stage.MANIFEST, denial))
    assert "role_policy_denies_pull" in causes
    assert not {"role_lacks_pull_permissions", "repository_policy_lacks_grant", "registry_token_expired"} & set(causes)


def test_a_refused_import_is_the_pull_through_cache() -> None:
    denial = Denial("ecr:BatchImportUpstreamImage", "*", "", PolicyType.IDENTITY)
    assert can_mean(message(Symptom.ACCESS_DENIED, None, denial)) == ("pull_through_cache_failing",)


@pytest.mark.parametrize(
    ("words", "causes"),
    [
        (
            "failed to get stream processor for application/vnd.in-toto+json: no processor for media-type: unknown",
            ("image_not_found",),
        ),
        ("name unknown: The repository does not exist", ("repository_not_found", "pull_through_cache_failing")),
        ("manifest unknown: Requested image not found", ("image_not_found", "pull_through_cache_failing")),
    ],
)
def test_the_registry_says_what_is_missing(words: str, causes: tuple[str, ...]) -> None:
    assert can_mean(read_message(f"Error response from daemon: {words}")) == causes


def test_a_refusal_by_the_layer_bucket_is_the_endpoints_policy() -> None:
    url = "https://prod-us-east-1-starport-layer-bucket.s3.us-east-1.amazonaws.com/a"
    read = read_message(f"failed to copy: httpReadSeeker: failed open: unexpected status code {url}: 403 Forbidden")
    assert can_mean(read) == ("s3_endpoint_policy_blocks_layers",)


def test_an_image_that_is_spelt_wrong_has_no_other_cause() -> None:
    assert can_mean(KubeletMessage(Symptom.UNKNOWN, None, parse_image("Team/App:v1:v2"))) == ()


def test_an_image_outside_has_no_cause_in_private_registries() -> None:
    causes = can_mean(KubeletMessage(Symptom.NOT_AUTHENTICATED, Stage.MANIFEST, parse_image("public.ecr.aws/a/b:v1")))
    assert not set(causes) & (AUTHORIZATION | ENDPOINT_POLICIES | {"vpc_endpoint_missing"})


def test_a_refused_action_of_ecr_is_one_of_a_private_registry_however_its_host_is_spelt() -> None:
    # As AWS's article has it, with words for the account and a colon that no image has.
    read = read_message(
        'Failed to pull image "cross-aws-account-id:.dkr.ecr.REGION.amazonaws.com/repo-name:image-tag": rpc error: '
        "code = Unknown desc = Error response from daemon: pull access denied for "
        "arn:aws:ecr:REGION:cross-aws-account-id:repository/repo-name, repository does not exist or may require "
        "'docker login': denied: User: arn:aws:sts::<aws-account>:assumed-role/<node-role> is not authorized to "
        "perform: ecr:BatchGetImage on resource: arn:aws:ecr:REGION:cross-aws-account-id:repository/repo-name"
    )
    assert can_mean(read)[:2] == ("role_lacks_pull_permissions", "repository_policy_lacks_grant")


def test_a_refused_tag_is_that_of_a_first_pull_through_a_cache() -> None:
    read = read_message(
        "denied: User: arn:aws:sts::111111111111:assumed-role/node/i-0123456789abcdef0 is not authorized to perform: "
        "ecr:TagResource on resource: arn:aws:ecr:us-east-1:111111111111:repository/quay/app because no identity-based "
        "policy allows the ecr:TagResource action"
    )
    assert can_mean(read) == ("pull_through_cache_failing",)
    other = read_message(
        "denied: User: arn:aws:sts::111111111111:assumed-role/node/i-0123456789abcdef0 is not authorized to perform: "
        "ecr:PutImage on resource: arn:aws:ecr:us-east-1:111111111111:repository/quay/app because no identity-based "
        "policy allows the ecr:PutImage action"
    )
    assert can_mean(other)[0] == "role_lacks_pull_permissions"


TIMED_OUT = (
    'Failed to pull image "111111111111.dkr.ecr.us-east-1.amazonaws.com/team/app:v1": failed to do request: Head '
    '"https://{}/v2/team/app/manifests/v1": dial tcp {}:443: i/o timeout'
)


@pytest.mark.parametrize(
    ("address", "first"),
    [
        ("10.100.1.10", "endpoint_security_group_blocks_ingress"),
        ("[fd00:10::1]", "endpoint_security_group_blocks_ingress"),
        ("44.213.79.50", "no_route_to_ecr"),
        ("169.254.169.253", "no_route_to_ecr"),
    ],
)
def test_a_private_address_means_an_endpoint_first(address: str, first: str) -> None:
    causes = can_mean(read_message(TIMED_OUT.format("111111111111.dkr.ecr.us-east-1.amazonaws.com", address)))
    assert causes[0] == first
    assert {"no_route_to_ecr", "vpc_endpoint_missing", "endpoint_security_group_blocks_ingress"} <= set(causes)
    if first != "no_route_to_ecr":
        assert causes[1] == "vpc_endpoint_unavailable"


def test_an_image_outside_ecr_is_missing_from_no_repository_of_ecr() -> None:
    for said in ("docker.io/library/nginx:nope: not found", "name unknown: The repository does not exist"):
        read = read_message(f'Failed to pull image "nginx:nope": failed to resolve reference "nginx:nope": {said}')
        assert "repository_not_found" not in can_mean(read)
    assert "image_not_found" in can_mean(read_message('Failed to pull image "nginx:nope": manifest unknown: x'))
