"""Which failures of pulls from ECR Public a check can explain. The others are skipped, with the reason."""

from __future__ import annotations

from itertools import product

import pytest

from pull_responder.checks import BY_ID, CHECKS
from pull_responder.checks.check import Check
from pull_responder.diagnosis import skip_reason
from pull_responder.events.image_reference import parse_image
from pull_responder.events.kubelet_message import KubeletMessage, read_message
from pull_responder.meanings import can_mean
from pull_responder.model.pull import PullFailure, Stage, Symptom, registry_answered

# What is known of the symptoms that there were; others follow from their checks and from `registry_answered`.
EXPLAINED = {
    *(Symptom.TIMEOUT, Symptom.NAME_RESOLUTION_FAILED, Symptom.THROTTLED, Symptom.DISK_FULL),
    *(Symptom.PROXY_FAILED, Symptom.CERTIFICATE_UNTRUSTED, Symptom.REGISTRY_ERROR),
    # A login that is no longer valid, where none is needed.
    *(Symptom.ACCESS_DENIED, Symptom.TOKEN_EXPIRED),
}
ANSWERED = {
    *(Symptom.NOT_AUTHENTICATED, Symptom.NOT_FOUND, Symptom.PLATFORM_MISMATCH, Symptom.DOWNLOAD_CORRUPT),
}
NOT_ANSWERED = {Symptom.KUBELET_THROTTLED, Symptom.CANCELED, Symptom.UNKNOWN}
OTHERS = {*Symptom} - EXPLAINED - ANSWERED - NOT_ANSWERED


def of_checks(symptom: Symptom) -> bool:
    return any(symptom in check.ecr_public for check in BY_ID.values())


def pull(symptom: Symptom) -> PullFailure:
    return PullFailure(
        symptom, None, "us-east-1", account="111111111111", repository="a/b", tag="v1", registry_host="public.ecr.aws"
    )


@pytest.mark.parametrize("symptom", sorted(EXPLAINED | {each for each in OTHERS if of_checks(each)}))
def test_what_a_check_can_explain_is_diagnosed(symptom: Symptom) -> None:
    assert skip_reason(pull(symptom)) is None
    assert of_checks(symptom)


@pytest.mark.parametrize(
    "symptom", sorted(ANSWERED | {each for each in OTHERS if registry_answered(each) and not of_checks(each)})
)
def test_an_answer_of_the_registry_is_skipped_and_called_one(symptom: Symptom) -> None:
    assert skip_reason(pull(symptom)) == (
        "public.ecr.aws/a/b:v1 is in Amazon ECR Public, which needs no role, and its registry answered"
    )


@pytest.mark.parametrize(
    "symptom", sorted(NOT_ANSWERED | {each for each in OTHERS if not registry_answered(each) and not of_checks(each)})
)
def test_no_answer_is_not_called_one(symptom: Symptom) -> None:
    reason = skip_reason(pull(symptom)) or ""
    assert reason.endswith(f"no check can explain a failure of kind {symptom} there")
    assert "answered" not in reason


def test_a_private_registrys_pull_is_never_skipped_here() -> None:
    private = PullFailure(Symptom.ACCESS_DENIED, None, "us-east-1", registry_account="111111111111", repository="a")
    assert skip_reason(private) is None


# Which image it is must be read from ECR, and ECR Public's images are in no registry that can be read.
NEEDS_A_PRIVATE_REGISTRY = {"image_platform_mismatch"}


@pytest.mark.parametrize(
    "check", [check for check in BY_ID.values() if check.by_words and check.any_registry], ids=lambda check: check.id
)
def test_what_the_nodes_words_say_of_any_registry_holds_for_ecr_public(check: Check) -> None:
    assert check.ecr_public or check.id in NEEDS_A_PRIVATE_REGISTRY, (
        f"checks/{check.id}.py: its CHECK explains failures of any registry by kubelet's words: name their symptoms in "
        "ecr_public"
    )


IMAGE = parse_image("public.ecr.aws/a/b:v1")
OF_ENDPOINTS = {
    *("vpc_endpoint_missing", "vpc_endpoint_unavailable", "endpoint_private_dns_disabled"),
    *("endpoint_security_group_blocks_ingress", "s3_endpoint_not_in_route_table"),
}


def named(symptom: Symptom, stage: Stage | None) -> set[str]:
    """The causes that `explain` names."""
    return set(can_mean(KubeletMessage(symptom, stage, IMAGE, None)))


def examined(symptom: Symptom) -> set[str]:
    """The causes that `diagnose` examines."""
    if skip_reason(pull(symptom)):
        return set()
    return {check.id for check in CHECKS if check.is_examined(symptom, from_ecr_public=True)}


@pytest.mark.parametrize(("symptom", "stage"), [*product(Symptom, [*Stage, None])])
def test_explain_names_only_what_diagnose_examines(symptom: Symptom, stage: Stage | None) -> None:
    assert named(symptom, stage) <= examined(symptom)


@pytest.mark.parametrize("symptom", Symptom)
def test_what_diagnose_examines_is_named_unless_it_only_stops_the_next_pull(symptom: Symptom) -> None:
    at_some_stage = {cause for stage in [*Stage, None] for cause in named(symptom, stage)}
    next_pull = {check.id for check in CHECKS if symptom in check.also_at}
    assert examined(symptom) - at_some_stage <= next_pull
    assert not at_some_stage & next_pull


@pytest.mark.parametrize("symptom", Symptom)
def test_no_endpoint_serves_these_images(symptom: Symptom) -> None:
    assert not examined(symptom) & OF_ENDPOINTS


def test_the_dns_of_the_vpc_concerns_them() -> None:
    assert "vpc_dns_disabled" in named(Symptom.NAME_RESOLUTION_FAILED, Stage.MANIFEST)
    assert "vpc_dns_disabled" in examined(Symptom.NAME_RESOLUTION_FAILED)


@pytest.mark.parametrize(
    ("host", "causes"),
    [("public.ecr.aws", ()), ("docker.io", ("image_platform_mismatch",))],
)
def test_another_registrys_platform_is_still_named(host: str, causes: tuple[str, ...]) -> None:
    said = f'Failed to pull image "{host}/library/nginx:1": no match for platform in manifest: not found'
    assert can_mean(read_message(said)) == causes
