"""The failures and findings that the causes' pages show: policies, repositories, and what only words tell."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pull_responder.checks import pull_failing_unexplained
from pull_responder.events.kubelet_message import read_message
from pull_responder.findings.problem import Problem
from pull_responder.responder.unexplained import finding_of_unexplained
from pull_responder.settings import Settings
from tests.integration.checks.estate import (
    ALLOW_ALL,
    PULL_ONLY,
    TOKEN,
    allow,
    because_no,
    deny,
    explicit_deny,
    grant,
    name_of,
    policy,
    refuse,
)
from tests.integration.checks.registry_estate import index, missing, push, reported

if TYPE_CHECKING:
    from collections.abc import Callable

    from pull_responder.model.arn import Arn
    from pull_responder.model.pull import PullFailure
    from tests.integration.checks.estate import Estate

    Example = Callable[..., None]

CREATE = "ecr:CreateRepository"
NO_IDENTITY_POLICY = because_no("identity-based policy")
SCP = "arn:aws:organizations::999999999999:policy/o-a1b2c3d4e5/service_control_policy/p-1a2b3c4d"
RCP = "arn:aws:organizations::999999999999:policy/o-a1b2c3d4e5/resource_control_policy/p-1a2b3c4d"


def show(example: Example, estate: Estate, pull: PullFailure, cause: str) -> None:
    diagnosis = estate.diagnose(pull)
    (finding,) = [each for each in diagnosis.findings if each.cause == cause]
    example(pull.message or estate.record, diagnosis, finding, partner="999999999999")


def told(estate: Estate, repository: Arn, error: str, tag: str = "v1", role: Arn | None = None) -> PullFailure:
    """The pull that failed with `error`, in the words of a kubelet with containerd."""
    image = f"{repository.account}.dkr.ecr.{repository.region}.amazonaws.com/{name_of(repository)}:{tag}"
    pulling = f'Failed to pull image "{image}": rpc error: code = Unknown desc = failed to pull and unpack image'
    message = f'{pulling} "{image}": {error.replace("IMAGE", image)}'
    pull = reported(estate, repository, message, tag=tag, role=role)
    return replace(pull, stage=read_message(message).stage, observed_at="2026-03-01T12:00:00Z")


def test_role_lacks_pull_permissions(estate: Estate, example: Example) -> None:
    pull = estate.denied(estate.role(), estate.repository(), NO_IDENTITY_POLICY)
    show(example, estate, pull, "role_lacks_pull_permissions")


def test_fargate_of_the_tour(estate: Estate, example: Example) -> None:
    role = estate.role(name="fargate-pods", trusted=("eks-fargate-pods",))
    estate.cluster().create_fargate_profile(
        fargateProfileName="shop",
        clusterName="prod",
        podExecutionRoleArn=str(role),
        subnets=["subnet-1"],
        selectors=[{"namespace": "shop"}],
    )
    diagnosis = estate.diagnose(estate.denied(role, estate.repository(), NO_IDENTITY_POLICY, session="f1e2d3"))
    (finding,) = diagnosis.findings
    assert "AmazonEKSFargatePodExecutionRolePolicy" in " ".join(finding.remediation.commands[0])
    example(estate.record, diagnosis, finding, tour="fargate")


def test_role_policy_denies_pull(estate: Estate, example: Example) -> None:
    role = estate.role(deny("ecr:Batch*", Sid="NoPull"), attach=[PULL_ONLY])
    pull = estate.denied(role, estate.repository(), explicit_deny("identity-based policy"))
    show(example, estate, pull, "role_policy_denies_pull")


def test_permissions_boundary_blocks_pull(estate: Estate, example: Example) -> None:
    boundary = estate.managed_policy(policy(allow("s3:*", TOKEN, Sid="Storage")))
    role = estate.role(attach=[PULL_ONLY], boundary=boundary)
    pull = estate.denied(role, estate.repository(), because_no("permissions boundary"))
    show(example, estate, pull, "permissions_boundary_blocks_pull")


def test_scp_blocks_pull(estate: Estate, example: Example) -> None:
    role = estate.role(attach=[PULL_ONLY])
    pull = estate.denied(role, estate.repository(), explicit_deny("service control policy", SCP))
    show(example, estate, pull, "scp_blocks_pull")


def test_rcp_blocks_pull(estate: Estate, example: Example) -> None:
    role = estate.role(attach=[PULL_ONLY])
    pull = estate.denied(role, estate.repository(), explicit_deny("resource control policy", RCP))
    show(example, estate, pull, "rcp_blocks_pull")


def test_session_policy_blocks_pull(estate: Estate, example: Example) -> None:
    role = estate.role(attach=[PULL_ONLY])
    pull = estate.denied(role, estate.repository(), because_no("session policy"))
    show(example, estate, pull, "session_policy_blocks_pull")


def test_endpoint_policy_blocks_pull(estate: Estate, example: Example) -> None:
    role = estate.role(attach=[PULL_ONLY])
    pull = estate.denied(role, estate.repository(), because_no("VPC endpoint policy"))
    show(example, estate, pull, "endpoint_policy_blocks_pull")


def test_repository_policy_lacks_grant(estate: Estate, example: Example) -> None:
    estate.member()
    role, repository = estate.role(attach=[PULL_ONLY]), estate.repository(account=estate.other)
    pull = estate.denied(role, repository, because_no("resource-based policy"))
    show(example, estate, pull, "repository_policy_lacks_grant")


def test_repository_policy_denies_pull(estate: Estate, example: Example) -> None:
    role = estate.role(attach=[PULL_ONLY])
    repository = estate.repository(refuse("*", "ecr:BatchGet*", Sid="NoPull"), grant("*", "ecr:PutImage", Sid="Push"))
    pull = estate.denied(role, repository, explicit_deny("resource-based policy"))
    show(example, estate, pull, "repository_policy_denies_pull")


def test_registry_policy_denies_pull(estate: Estate, example: Example) -> None:
    role = estate.role(attach=[PULL_ONLY])
    estate.set_registry_policy(refuse("*", "ecr:BatchGetImage", Sid="Closed", Resource="*"))
    pull = estate.denied(role, estate.repository(), explicit_deny("resource-based policy"))
    show(example, estate, pull, "registry_policy_denies_pull")


def test_unexpected_principal_denied(estate: Estate, example: Example) -> None:
    role = estate.role(name="build", trusted=("codebuild",))
    pull = estate.denied(role, estate.repository(), NO_IDENTITY_POLICY, session="AWSCodeBuild-1")
    show(example, estate, pull, "unexpected_principal_denied")


def test_repository_not_found(estate: Estate, example: Example) -> None:
    estate.repository(name="team/apps")
    unknown = (
        'failed to resolve reference "IMAGE": unexpected status from HEAD request: 404 Not Found: name unknown: The '
        "repository with name 'team/app' does not exist"
    )
    show(example, estate, told(estate, missing(estate, "team/app"), unknown), "repository_not_found")


def test_image_not_found(estate: Estate, example: Example) -> None:
    repository = estate.repository()
    push(estate, repository, "1.2.3")
    unknown = 'failed to resolve reference "IMAGE": manifest unknown: Requested image not found'
    show(example, estate, told(estate, repository, unknown, "v1.2.3"), "image_not_found")


def test_image_platform_mismatch(estate: Estate, example: Example) -> None:
    repository = estate.repository()
    push(estate, repository, "v2", manifest=index("linux/arm64"))
    pull = told(estate, repository, "no match for platform in manifest: not found", "v2")
    show(example, estate, pull, "image_platform_mismatch")


def test_repository_key_unusable(estate: Estate, example: Example) -> None:
    key: str = estate.client("kms").create_key()["KeyMetadata"]["Arn"]
    encryption = {"encryptionType": "KMS", "kmsKey": key}
    estate.client("ecr").create_repository(repositoryName="team/app", encryptionConfiguration=encryption)
    repository = missing(estate, "team/app")
    push(estate, repository, "v1")
    estate.client("kms").disable_key(KeyId=key)
    forbidden = 'failed to resolve reference "IMAGE": unexpected status from HEAD request: 403 Forbidden'
    show(example, estate, told(estate, repository, forbidden), "repository_key_unusable")


def test_pull_through_cache_failing(estate: Estate, example: Example) -> None:
    estate.cache("quay")
    role = estate.role(attach=[PULL_ONLY])
    pull = estate.denied(
        role, missing(estate, "quay/team/app"), because_no("identity-based policy", CREATE), action=CREATE
    )
    show(example, estate, pull, "pull_through_cache_failing")


def test_registry_throttled(estate: Estate, example: Example) -> None:
    too_many = "failed to copy: httpReadSeeker: failed open: unexpected status code: 429 Too Many Requests"
    show(example, estate, told(estate, estate.repository(), too_many), "registry_throttled")


def test_registry_token_expired(estate: Estate, example: Example) -> None:
    expired = (
        'failed to resolve reference "IMAGE": pulling from host '
        f"{estate.account}.dkr.ecr.us-east-1.amazonaws.com failed with status code [manifests v1]: denied: Your "
        "authorization token has expired. Reauthenticate and try again."
    )
    show(example, estate, told(estate, estate.repository(), expired), "registry_token_expired")


def test_node_disk_full(estate: Estate, example: Example) -> None:
    full = (
        f"failed to extract layer sha256:{'ab' * 32}: write "
        "/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/41/fs/usr/lib/libc.so.6: no space left "
        "on device"
    )
    show(example, estate, told(estate, estate.repository(), full), "node_disk_full")


def asking(estate: Estate) -> str:
    """How containerd begins, where its request for the manifest failed."""
    url = f"https://{estate.account}.dkr.ecr.us-east-1.amazonaws.com/v2/team/app/manifests/v1"
    return f'failed to do request: Head "{url}": '


def test_proxy_blocks_pull(estate: Estate, example: Example) -> None:
    refused = asking(estate) + "proxyconnect tcp: dial tcp 10.0.9.20:3128: connect: connection refused"
    show(example, estate, told(estate, estate.repository(), refused), "proxy_blocks_pull")


def test_registry_certificate_untrusted(estate: Estate, example: Example) -> None:
    intercepted = asking(estate) + "tls: failed to verify certificate: x509: certificate signed by unknown authority"
    show(example, estate, told(estate, estate.repository(), intercepted), "registry_certificate_untrusted")


def test_registry_unavailable(estate: Estate, example: Example) -> None:
    host = f"{estate.account}.dkr.ecr.us-east-1.amazonaws.com"
    answered = f"pulling from host {host} failed with status code [manifests v1]: 503 Service Unavailable"
    show(example, estate, told(estate, estate.repository(), answered), "registry_unavailable")


def test_credential_provider_failing(estate: Estate, example: Example) -> None:
    missing = (
        "error execing credential provider plugin ecr-credential-provider for image "
        f"{estate.account}.dkr.ecr.us-east-1.amazonaws.com/team/app: fork/exec "
        "/etc/eks/image-credential-provider/ecr-credential-provider: no such file or directory"
    )
    show(example, estate, told(estate, estate.repository(), missing), "credential_provider_failing")


def test_pull_failing_unexplained(estate: Estate, example: Example) -> None:
    cause = pull_failing_unexplained.CHECK.id
    unknown = 'failed to resolve reference "IMAGE": rpc error: code = Internal desc = the stream was closed'
    pull = told(estate, estate.repository(), unknown, role=estate.role(ALLOW_ALL))
    diagnosis = estate.diagnose(pull, unreadable=["organizations:*", "ecr:GetRegistryPolicy"])
    # 2026-03-01T12:00:00Z, and 35 minutes later.
    since = 1_772_366_400.0
    problem = Problem("problem/1", count=9, first_seen=since, last_seen=since + 2100, unexplained_since=since)
    finding = finding_of_unexplained(problem, diagnosis, now=since + 2100, settings=Settings())
    assert finding
    assert finding.cause == cause
    example(pull.message, diagnosis, finding)
