"""Several signals of one failure: what each adds to the others, and what is never taken."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pull_responder.events.joining import join
from pull_responder.model.pull import Denial, PolicyType, Principal, PrincipalKind, PullFailure, Stage, Symptom

SESSION = "arn:aws:sts::111111111111:assumed-role/workers/i-0123456789abcdef0"
WORKERS = Principal(PrincipalKind.ROLE, SESSION, "aws", "111111111111", "workers", session_name="i-0123456789abcdef0")
OTHERS = replace(WORKERS, arn=SESSION.replace("workers", "others"), name="others")
WORDS = Denial("ecr:BatchGetImage", "arn:aws:ecr:us-east-1:111111111111:repository/web", "because", PolicyType.IDENTITY)
DENIED = PullFailure(
    Symptom.ACCESS_DENIED,
    Stage.MANIFEST,
    "us-east-1",
    principal=WORKERS,
    denial=WORDS,
    registry_account="111111111111",
    repository="web",
    node="i-0123456789abcdef0",
    observed_at="2026-03-01T12:00:00Z",
)
ON_NODE = replace(
    DENIED,
    denial=None,
    principal=None,
    tag="v1",
    node="ip-10-0-1-23.ec2.internal",
    namespace="shop",
    pod="web-1",
    cluster="named-by-the-event",
    message="403 Forbidden",
)
AUDITED = replace(ON_NODE, principal=WORKERS, cluster="prod")
BACK_OFF = replace(ON_NODE, symptom=Symptom.UNKNOWN, stage=None, message="Back-off pulling image")
TOKEN = replace(DENIED, stage=Stage.TOKEN, repository=None, registry_account=None)


def test_a_denial_gets_the_pod_and_the_report_gets_awss_words() -> None:
    denied, reported = join([DENIED, AUDITED])
    assert denied == reported
    assert (denied.denial, denied.principal, denied.node) == (WORDS, WORKERS, DENIED.node)
    assert (denied.namespace, denied.pod, denied.cluster, denied.tag) == ("shop", "web-1", "prod", "v1")
    assert (denied.symptom, denied.message) == (Symptom.ACCESS_DENIED, "403 Forbidden")


def test_the_digest_of_a_report_is_that_of_the_denied_image() -> None:
    digest = "sha256:" + "a" * 64
    by_digest = replace(AUDITED, tag=None, digest=digest)
    assert join([DENIED, by_digest])[0].digest == digest
    own = replace(DENIED, digest="sha256:" + "b" * 64)
    assert join([own, by_digest])[0].digest == own.digest


def test_a_back_off_is_explained_by_the_attempt_on_its_node_and_by_the_denial() -> None:
    assert join([BACK_OFF, ON_NODE])[0] == ON_NODE
    assert len(set(map(repr, join([DENIED, ON_NODE, BACK_OFF])))) == 1
    elsewhere = replace(BACK_OFF, node="ip-10-0-9-9.ec2.internal")
    assert join([elsewhere, replace(ON_NODE, symptom=Symptom.TIMEOUT)])[0] == elsewhere


def test_the_cluster_of_an_event_that_can_be_forged_is_not_taken() -> None:
    denied, reported = join([DENIED, ON_NODE])
    assert (denied.cluster, reported.cluster) == (None, None)
    assert denied.pod == "web-1"


def test_the_report_that_names_its_role_is_believed_before_one_that_does_not() -> None:
    forged = replace(ON_NODE, pod="forged")
    assert join([DENIED, forged, AUDITED])[0].pod == "web-1"


def test_a_denial_of_no_node_is_of_a_pod_only_where_no_other_namespace_pulls_the_image() -> None:
    of_pod = replace(DENIED, node=None, principal=replace(WORKERS, session_name="ecr-credential-provider"))
    others = replace(ON_NODE, namespace="team-b", pod="api-1")
    assert join([of_pod, ON_NODE])[0].namespace == "shop"
    assert join([of_pod, ON_NODE, replace(ON_NODE, pod="web-2")])[0].namespace == "shop"
    assert (join([of_pod, ON_NODE, others])[0].namespace, join([of_pod, ON_NODE, others])[0].pod) == (None, None)
    assert join([DENIED, ON_NODE, others])[0].pod


@pytest.mark.parametrize(
    ("what", "report"),
    [
        ("another repository", replace(AUDITED, repository="other")),
        ("another registry", replace(AUDITED, registry_account="222222222222")),
        ("another region", replace(AUDITED, region="eu-west-1")),
        ("another role", replace(AUDITED, principal=OTHERS)),
        ("a failure that no denial causes", replace(AUDITED, symptom=Symptom.TIMEOUT)),
        ("a token missing where AWS refused the image", replace(AUDITED, symptom=Symptom.NOT_AUTHENTICATED)),
    ],
)
def test_what_may_be_another_failure_stays_apart(what: str, report: PullFailure) -> None:
    assert join([DENIED, report]) == [DENIED, report], what


def test_of_two_denied_roles_none_is_guessed() -> None:
    other = replace(DENIED, principal=OTHERS)
    assert join([DENIED, other, ON_NODE])[2] == ON_NODE
    assert join([DENIED, other, AUDITED])[2].denial == WORDS


def test_a_denied_token_explains_a_401_of_its_role_and_has_no_image_of_its_own() -> None:
    unauthenticated = replace(AUDITED, symptom=Symptom.NOT_AUTHENTICATED)
    denied, reported = join([TOKEN, unauthenticated])
    assert (denied.pod, denied.repository, denied.tag) == ("web-1", None, None)
    assert reported == replace(AUDITED, denial=WORDS, stage=Stage.TOKEN)
    assert join([TOKEN, replace(unauthenticated, principal=OTHERS)])[0] == TOKEN


REFUSED = "UpstreamAccessDenied: The upstream registry refused the credentials"
OF_ECR = replace(DENIED, symptom=Symptom.UNKNOWN, denial=None, principal=None, node=None, upstream_failure=REFUSED)
MISSING = replace(AUDITED, symptom=Symptom.NOT_FOUND, message="not found")


def test_what_the_upstream_refused_gets_the_pod_and_the_report_gets_the_reason() -> None:
    of_ecr, reported = join([OF_ECR, MISSING])
    assert (of_ecr.namespace, of_ecr.pod, of_ecr.message) == ("shop", "web-1", "not found")
    assert (of_ecr.principal, of_ecr.upstream_failure) == (None, REFUSED)
    assert reported == replace(MISSING, upstream_failure=REFUSED)


@pytest.mark.parametrize(
    "report",
    [
        replace(MISSING, repository="other"),
        replace(MISSING, symptom=Symptom.TIMEOUT),
        replace(MISSING, symptom=Symptom.PLATFORM_MISMATCH),
    ],
)
def test_another_failure_is_not_the_upstreams(report: PullFailure) -> None:
    assert join([OF_ECR, report]) == [OF_ECR, report]
    other_tag = replace(OF_ECR, tag="v2")
    assert join([other_tag, MISSING]) == [other_tag, MISSING]


def test_the_host_of_an_event_that_can_be_forged_is_not_taken() -> None:
    host = "111111111111.dkr-ecr.us-east-1.on.aws"
    assert join([DENIED, replace(AUDITED, registry_host=host)])[0].registry_host == host
    assert join([DENIED, replace(ON_NODE, registry_host=host)])[0].registry_host is None


def test_alone_they_stay_as_they_are() -> None:
    for pull in (DENIED, ON_NODE, AUDITED, BACK_OFF, TOKEN, OF_ECR, MISSING):
        assert join([pull]) == [pull]
    assert join([]) == []


def test_signals_that_name_neither_image_nor_role_share_nothing() -> None:
    token = replace(TOKEN, principal=None)
    report = replace(ON_NODE, repository=None, registry_account=None)
    assert join([token, report]) == [token, report]


def test_another_session_of_the_role_is_the_same_role() -> None:
    of_other = replace(AUDITED, principal=replace(WORKERS, arn=f"{SESSION}1", session_name="i-0123456789abcdef1"))
    assert join([DENIED, of_other])[1].denial == WORDS
    assert join([TOKEN, of_other])[1].denial == WORDS


def test_two_failures_of_an_image_on_a_node_keep_their_own_reasons() -> None:
    timeout = replace(ON_NODE, symptom=Symptom.TIMEOUT, message="i/o timeout")
    assert join([ON_NODE, timeout]) == [ON_NODE, timeout]
    assert join([timeout, ON_NODE]) == [timeout, ON_NODE]


def test_a_report_without_a_pod_is_given_none_by_the_upstreams_failure() -> None:
    bare = replace(MISSING, principal=None, cluster=None, namespace=None, pod=None, node=None)
    assert join([OF_ECR, MISSING, bare])[2] == replace(bare, upstream_failure=REFUSED)


def test_a_denied_token_gets_no_digest() -> None:
    by_digest = replace(AUDITED, symptom=Symptom.NOT_AUTHENTICATED, tag=None, digest="sha256:" + "a" * 64)
    denied = join([TOKEN, by_digest])[0]
    assert (denied.pod, denied.tag, denied.digest) == ("web-1", None, None)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_of_several_denials_of_a_role_the_latest_explains_a_report(order: tuple[int, ...]) -> None:
    times = (None, "2026-03-01T12:00:00Z", "2026-03-01T12:05:00Z")
    denials = [replace(DENIED, denial=replace(WORDS, message=str(each)), observed_at=each) for each in times]
    joined = join([*(denials[each] for each in order), ON_NODE])[-1]
    assert joined.denial
    assert joined.denial.message == times[2]


@pytest.mark.parametrize("elsewhere", [{"account": "222222222222"}, {"cluster_region": "eu-west-1"}, {"cluster": "b"}])
def test_a_node_of_the_same_name_in_another_cluster_says_nothing_of_a_back_off(elsewhere: dict[str, Any]) -> None:
    back_off = replace(BACK_OFF, account="111111111111", cluster="a")
    same: dict[str, Any] = {"account": "111111111111", "cluster": "a"}
    other = replace(ON_NODE, **(same | elsewhere))
    assert join([back_off, other])[0] == back_off


def test_a_report_of_another_account_that_names_no_role_is_not_the_denials() -> None:
    theirs = replace(ON_NODE, account="222222222222", namespace="theirs")
    assert join([DENIED, theirs]) == [DENIED, theirs]
    # The denial of a pull from another account is in both accounts: whose the role is counts.
    at_the_owner = replace(DENIED, account="333333333333", registry_account="333333333333")
    ours = replace(ON_NODE, account="111111111111", registry_account="333333333333")
    assert [each.pod for each in join([at_the_owner, ours])] == ["web-1", "web-1"]
