"""Our own event about a pod, on its way through the queue: nothing is lost, and nothing is believed that is no name."""

from __future__ import annotations

import json
from dataclasses import MISSING, fields, replace
from typing import Any

import pytest

from pull_responder.events.change import Change, Wakeup
from pull_responder.events.eks_change import Inspection
from pull_responder.events.image_reference import TEXT_LIMIT, ImageReference
from pull_responder.events.kubelet_message import KubeletMessage
from pull_responder.events.outcome import Skipped, UnusableEvent
from pull_responder.events.pod_failure import PodFailure, clean, image_text, principal_arn, read_pod_failure
from pull_responder.events.principal import read_principal
from pull_responder.model.pull import PrincipalKind, PullFailure, Stage, Symptom
from tests.unit.events.messages import IMAGE, NODE, RESOLVING

ACCOUNT = "111111111111"
FAILED = PodFailure(
    ACCOUNT,
    f"{RESOLVING}no basic auth credentials",
    image=IMAGE,
    cluster="prod",
    namespace="shop",
    pod="web-1",
    container="web",
    node="ip-10-0-1-23.ec2.internal",
    principal_arn=NODE,
    time="2026-03-01T12:00:00Z",
    event_id="e-1",
    region="us-east-1",
)


def test_what_goes_into_the_queue_comes_out_of_it() -> None:
    body = json.loads(FAILED.body(region="us-east-1"))
    # Rules and dead letters of a deployment know it by these.
    assert (body["source"], body["detail-type"]) == ("pull-responder.audit-log", "Pod Image Pull Failure")
    assert set(body["detail"]) == {
        *("clusterName", "namespace", "podName", "containerName", "nodeName", "principalArn", "image", "message"),
    }
    assert (body["account"], body["region"], body["time"], body["id"]) == (ACCOUNT, "us-east-1", FAILED.time, "e-1")
    pull = read_pod_failure(body)
    assert pull == FAILED.pull()
    assert isinstance(pull, PullFailure)
    assert (pull.symptom, pull.stage, pull.image) == (Symptom.NOT_AUTHENTICATED, Stage.MANIFEST, IMAGE)
    assert (pull.account, pull.cluster, pull.namespace, pull.pod) == (ACCOUNT, "prod", "shop", "web-1")
    assert (pull.node, pull.observed_at, pull.event_id) == (FAILED.node, FAILED.time, "e-1")
    assert pull.principal == read_principal("", {"arn": NODE}, partition="aws")


def test_a_public_image_is_pulled_from_where_the_function_runs() -> None:
    public = replace(FAILED, image="public.ecr.aws/docker/library/nginx:1", message="no basic auth credentials")
    pull = read_pod_failure(json.loads(replace(public, region=None).body(region="eu-west-1")))
    assert isinstance(pull, PullFailure)
    assert pull.region == "eu-west-1"


@pytest.mark.parametrize("name", ["cluster", "namespace", "pod", "node", "principal_arn", "time", "event_id"])
def test_what_is_no_name_is_left_out(name: str) -> None:
    body = json.loads(replace(FAILED, **{name: "no name/\n"}).body(region="us-east-1"))  # type: ignore[arg-type]
    assert read_pod_failure(body) == replace(FAILED, **{name: None}).pull()  # type: ignore[arg-type]
    assert name in {each.name for each in fields(PodFailure)}


@pytest.mark.parametrize(("where", "named"), [("", "detail"), ("Records[0].body", "Records[0].body.detail")])
def test_a_detail_that_is_no_object_is_unusable(where: str, named: str) -> None:
    with pytest.raises(UnusableEvent) as refused:
        read_pod_failure({"detail": []}, where=where)
    assert str(refused.value) == f"{named} is not an object but a list"


@pytest.mark.parametrize(
    ("unique_id", "kind", "session"),
    [
        ("AROAEXAMPLE0123456789:web", PrincipalKind.ROLE, "web"),
        ("AROAEXAMPLE0123456789:web:other", PrincipalKind.ROLE, None),
        ("AIDAEXAMPLE0123456789:web", PrincipalKind.USER, None),
    ],
)
def test_only_a_role_has_a_session(unique_id: str, kind: PrincipalKind, session: str | None) -> None:
    found = read_principal("", {"type": "AWSAccount", "principalId": unique_id, "accountId": ACCOUNT}, partition="aws")
    assert found is not None
    assert (found.kind, found.session_name) == (kind, session)


@pytest.mark.parametrize("kind", [PodFailure, KubeletMessage, Change, Wakeup, Inspection, ImageReference, PullFailure])
def test_what_may_be_unknown_is_so_unless_told(kind: Any) -> None:  # noqa: ANN401 -- any dataclass
    optional = [each for each in fields(kind) if str(each.type).endswith("| None") and each.default is not MISSING]
    assert [each.name for each in optional if each.default is not None] == []
    assert {each.default for each in fields(kind) if isinstance(each.default, int)} <= {0}


@pytest.mark.parametrize(
    ("account", "session", "name"),
    [
        (ACCOUNT, "ecr-credential-provider", "pod-role"),
        # A node's session, which anybody may write into a text, and a role of another account.
        (ACCOUNT, "i-0fedcba9876543210", "node"),
        ("222222222222", "ecr-credential-provider", "node"),
    ],
)
def test_a_pod_that_pulls_with_its_own_role_is_told_from_its_node(account: str, session: str, name: str) -> None:
    user = f"arn:aws:sts::{account}:assumed-role/pod-role/{session}"
    refused = f"User: {user} is not authorized to perform: ecr:BatchGetImage on resource: * because no identity-based"
    pull = replace(FAILED, message=f"{RESOLVING}denied: {refused} policy allows the ecr:BatchGetImage action").pull()
    assert isinstance(pull, PullFailure)
    assert pull.principal is not None
    assert (pull.principal.account, pull.principal.name, pull.symptom) == (ACCOUNT, name, Symptom.ACCESS_DENIED)


HOST = IMAGE.partition("/")[0]


@pytest.mark.parametrize(
    ("own", "failed", "image"),
    [
        # The image of a volume; the same image as the runtime writes it; and what no registry of ECR could serve.
        (IMAGE, f"{HOST}/team/volume:v2", f"{HOST}/team/volume:v2"),
        (IMAGE, IMAGE.replace(HOST, f"2{HOST[1:]}"), IMAGE.replace(HOST, f"2{HOST[1:]}")),
        (IMAGE.removesuffix(":v1"), f"{IMAGE.removesuffix(':v1')}:latest", IMAGE.removesuffix(":v1")),
        (IMAGE, f"{HOST}/Team/volume:v2", IMAGE),
        (IMAGE, "docker.io/team/volume:v2", IMAGE),
        (None, "docker.io/team/volume:v2", "docker.io/team/volume:v2"),
        (None, f"{HOST}/Team/volume:v2", f"{HOST}/Team/volume:v2"),
    ],
)
def test_the_image_that_could_not_be_pulled(own: str | None, failed: str, image: str) -> None:
    failure = PodFailure(ACCOUNT, f'Failed to pull image "{failed}": no basic auth credentials', image=own)
    assert str(failure.reference()) == image


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_a_node_is_of_the_partition_of_its_session(partition: str) -> None:
    pull = replace(FAILED, principal_arn=NODE.replace("arn:aws:", f"arn:{partition}:")).pull()
    assert isinstance(pull, PullFailure)
    assert pull.principal is not None
    assert (pull.principal.partition, pull.principal.name) == (partition, "node")
    nameless = replace(FAILED, principal_arn=None).pull()
    assert isinstance(nameless, PullFailure)
    assert nameless.principal is None


DIGEST = "sha256:" + "0f" * 32


@pytest.mark.parametrize(
    ("image", "tag", "digest"),
    [
        (f"{HOST}/team/app", "latest", None),
        (f"{HOST}/team/app:v2", "v2", None),
        (f"{HOST}/team/app@{DIGEST}", None, DIGEST),
        (f"{HOST}/team/app:v2@{DIGEST}", "v2", DIGEST),
    ],
)
def test_an_image_without_tag_and_digest_is_the_latest(image: str, tag: str | None, digest: str | None) -> None:
    pull = replace(FAILED, image=image, message="no basic auth credentials").pull()
    assert isinstance(pull, PullFailure)
    assert (pull.repository, pull.tag, pull.digest) == ("team/app", tag, digest)


def test_what_the_node_quotes_of_aws_is_kept() -> None:
    refused = f"User: {NODE} is not authorized to perform: ecr:BatchGetImage on resource: * with an explicit deny"
    pull = replace(FAILED, message=f"{RESOLVING}denied: {refused}").pull()
    assert isinstance(pull, PullFailure)
    assert pull.denial is not None
    assert (pull.denial.action, pull.denial.explicit, pull.denial.quoted) == ("ecr:BatchGetImage", True, True)


def test_the_host_of_an_image_elsewhere_is_cut() -> None:
    image = f"{'h' * 100}.example/app"
    assert replace(FAILED, image=image, message="x").pull() == Skipped(
        f"{image} is not in Amazon ECR but in {'h' * 80}"
    )


@pytest.mark.parametrize(
    ("identity_type", "kind"),
    [
        ("AssumedRole", PrincipalKind.ROLE),
        ("Role", PrincipalKind.ROLE),
        ("IAMUser", PrincipalKind.USER),
        ("Root", PrincipalKind.ROOT),
        ("FederatedUser", PrincipalKind.FEDERATED_USER),
        ("Directory", PrincipalKind.UNKNOWN),
    ],
)
def test_an_identity_without_an_arn_is_of_the_kind_that_it_says(identity_type: str, kind: PrincipalKind) -> None:
    found = read_principal("", {"type": identity_type, "accountId": ACCOUNT}, partition="aws")
    assert found is not None
    assert (found.kind, found.account, found.name) == (kind, ACCOUNT, None)


@pytest.mark.parametrize(("version", "delivery"), [("1.0", "1.0"), ("2.0", "2.0"), ("3.0", None), (None, None)])
def test_how_an_instance_got_its_credentials(version: str | None, delivery: str | None) -> None:
    session = {"sessionIssuer": {"arn": f"arn:aws:iam::{ACCOUNT}:role/node"}, "ec2RoleDelivery": version}
    found = read_principal(NODE, {"arn": NODE, "sessionContext": session}, partition="aws")
    assert found is not None
    assert found.role_delivery == delivery


OF_NODE_ROLE = {"sessionContext": {"sessionIssuer": {"arn": f"arn:aws:iam::{ACCOUNT}:role/pods/node"}}}


@pytest.mark.parametrize(
    ("denied", "role_arn"),
    [
        (NODE, f"arn:aws:iam::{ACCOUNT}:role/pods/node"),
        # A user of the same name, and a role that was named with its path.
        (f"arn:aws:iam::{ACCOUNT}:user/node", None),
        (f"arn:aws:iam::{ACCOUNT}:role/other/node", f"arn:aws:iam::{ACCOUNT}:role/other/node"),
    ],
)
def test_only_a_session_of_the_role_has_the_issuers_path(denied: str, role_arn: str | None) -> None:
    found = read_principal(denied, OF_NODE_ROLE, partition="aws")
    assert found is not None
    assert (found.name, found.role_arn) == ("node", role_arn)


def test_a_user_who_issued_a_session_is_not_its_principal() -> None:
    issuer = {"sessionContext": {"sessionIssuer": {"arn": f"arn:aws:iam::{ACCOUNT}:user/jo"}}}
    found = read_principal("", {"type": "FederatedUser", "accountId": ACCOUNT, **issuer}, partition="aws")
    assert found is not None
    assert (found.kind, found.name) == (PrincipalKind.FEDERATED_USER, None)


def test_a_role_is_named_before_the_first_slash_of_its_session() -> None:
    found = read_principal(f"arn:aws:sts::{ACCOUNT}:assumed-role/node/a/b", None, partition="aws")
    assert found is not None
    assert (found.name, found.session_name) == ("node", None)


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (None, "a failing pod whose message names no image"),
        (
            "k.io/B:1",
            "k.io/B:1 is not in Amazon ECR but in k.io; it is spelt wrong: the repository 'B' has upper case letters",
        ),
        ("ghcr.io/shop/web:v1", "ghcr.io/shop/web:v1 is not in Amazon ECR but in ghcr.io"),
        (
            f"{HOST}/Shop/Web:v1",
            f"the image reference {HOST}/Shop/Web:v1 is wrong: the repository 'Shop/Web' has upper case letters",
        ),
    ],
)
def test_an_image_that_no_registry_of_ecr_could_serve_is_skipped_with_a_word(image: str | None, reason: str) -> None:
    assert replace(FAILED, image=image, message="no basic auth credentials").pull() == Skipped(reason)


def test_a_public_image_of_nowhere_is_pulled_from_where_the_api_of_ecr_public_is() -> None:
    pull = replace(FAILED, image="public.ecr.aws/nginx/nginx:1", region=None, message="i/o timeout").pull()
    assert isinstance(pull, PullFailure)
    assert (pull.region, pull.symptom) == ("us-east-1", Symptom.TIMEOUT)


def test_a_pull_has_what_the_pod_and_kubelet_say() -> None:
    host = HOST.replace("dkr.ecr", "dkr.ecr-fips")
    pull = replace(FAILED, image=IMAGE.replace(HOST, host), message="403 Forbidden", labels=("app=web",)).pull()
    assert isinstance(pull, PullFailure)
    assert (pull.message, pull.registry_host, pull.pod_labels) == ("403 Forbidden", host, ("app=web",))
    silent = replace(FAILED, message="").pull()
    assert isinstance(silent, PullFailure)
    assert (silent.message, silent.pod_labels) == (None, None)


def test_of_a_message_four_kibibytes_are_kept() -> None:
    assert clean("x " * 9_000) == "x " * 2_048


@pytest.mark.parametrize(
    ("written", "is_session"),
    [
        (NODE, True),
        (f"arn:aws:iam::{ACCOUNT}:role/node", True),
        (f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/app", False),
        ("node", False),
        (None, False),
        ([NODE], False),
    ],
)
def test_a_session_of_a_node_is_an_arn_of_iam_or_sts(written: object, *, is_session: bool) -> None:
    assert principal_arn(written) == (written if is_session else None)


@pytest.mark.parametrize(("length", "is_image"), [(TEXT_LIMIT, True), (TEXT_LIMIT + 1, False)])
def test_an_image_is_no_longer_than_any_reference(length: int, *, is_image: bool) -> None:
    written = f"{HOST}/".ljust(length, "a")
    assert image_text(written) == (written if is_image else None)
    assert image_text(7) is None


def test_our_event_has_each_value_under_its_name_and_no_other() -> None:
    assert json.loads(FAILED.body(region="us-east-1"))["detail"] == {
        "clusterName": "prod",
        "namespace": "shop",
        "podName": "web-1",
        "containerName": "web",
        "nodeName": "ip-10-0-1-23.ec2.internal",
        "principalArn": NODE,
        "image": IMAGE,
        "message": FAILED.message,
    }
    assert json.loads(PodFailure(None, "").body(region="us-east-1")) == {
        "source": "pull-responder.audit-log",
        "detail-type": "Pod Image Pull Failure",
        "region": "us-east-1",
        "detail": {},
    }
