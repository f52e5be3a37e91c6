"""Fixes to repositories, images, keys, secrets and tokens: what people read, and what they paste."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pull_responder.remediation import registry
from tests.unit.remediation.fixes import ACCOUNT, REGION, Told, arn, told

if TYPE_CHECKING:
    from collections.abc import Callable

    from pull_responder.model.verdict import Remediation

REPOSITORY = arn(f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/team/app")
KEY = arn(f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1234")
SECRET = "ecr-pullthroughcache/hub"
HERE = {"account": ACCOUNT, "region": REGION}

ECR, EKS = "AmazonECR/latest/userguide/", "eks/latest/userguide/"
TROUBLE = f"{ECR}common-errors-docker.html"
LESS_OFTEN = (
    "Pull less often: set imagePullPolicy to IfNotPresent, start fewer pods at once, use images that share layers. "
    "If that is not enough, request a higher Amazon ECR quota in Service Quotas."
)

FIXES: dict[str, tuple[Callable[[], Remediation], Told]] = {
    "repositories that exist": (
        lambda: registry.name_other_repository(REPOSITORY, found=("a/one", "a/two")),
        (
            (
                "Use a/one or a/two in the pod, or create the repository team/app in account 111111111111, eu-west-1, "
                "and push the image."
            ),
            TROUBLE,
            [],
        ),
    ),
    "no repository like it": (
        lambda: registry.name_other_repository(REPOSITORY, found=()),
        (
            (
                "Correct the image's name in the pod, or create the repository team/app in account 111111111111, "
                "eu-west-1, and push the image."
            ),
            TROUBLE,
            [],
        ),
    ),
    "tags that exist": (
        lambda: registry.name_other_image(REPOSITORY, image="app:v1", near=("v2", "v3")),
        ("Use the tag v2 or v3 in the pod, or push app:v1 again.", TROUBLE, []),
    ),
    "no tag like it": (
        lambda: registry.name_other_image(REPOSITORY, image="app:v1", near=()),
        ("Use an existing image in the pod, or push app:v1 again.", TROUBLE, []),
    ),
    "an archived image": (
        lambda: registry.restore_image(REPOSITORY, image="app:v1", digest="sha256:0"),
        (
            "Restore app:v1 from the archive. Within 20 minutes its status is ACTIVE again and it can be pulled.",
            f"{ECR}archive-image.html",
            [
                (
                    "aws ecr update-image-storage-class --registry-id 111111111111 --repository-name team/app "
                    "--image-id imageDigest=sha256:0 --target-storage-class STANDARD --region eu-west-1"
                )
            ],
        ),
    ),
    "an attestation": (
        lambda: registry.push_an_image(REPOSITORY, image="app:v1"),
        (
            (
                "Push the image itself as app:v1: the index that the build made, not one of the manifests in it. "
                "`docker buildx build --provenance=false --sbom=false` makes no attestations."
            ),
            f"{ECR}docker-push-multi-architecture-image.html",
            [],
        ),
    ),
    "an image on its way back": (
        lambda: registry.await_restore(REPOSITORY, image="app:v1"),
        (
            "Wait: app:v1 is being restored from the archive, which takes up to 20 minutes.",
            f"{ECR}archive-image.html",
            [],
        ),
    ),
    "another platform": (
        lambda: registry.build_for(REPOSITORY, image="app:v1", platforms="linux/arm64"),
        (
            (
                "Build app:v1 for linux/arm64 as well, and push it. Or schedule the pod on nodes of a platform that "
                "the image has, by the node labels kubernetes.io/os and kubernetes.io/arch."
            ),
            f"{ECR}docker-push-multi-architecture-image.html",
            [],
        ),
    ),
    "a platform that is not known": (
        lambda: registry.build_for(REPOSITORY, image="app:v1", platforms=""),
        (
            (
                "Build app:v1 for the platform of the node as well, and push it. Or schedule the pod on nodes of a "
                "platform that the image has, by the node labels kubernetes.io/os and kubernetes.io/arch."
            ),
            f"{ECR}docker-push-multi-architecture-image.html",
            [],
        ),
    ),
    "a disabled key": (
        lambda: registry.restore_key(KEY, state="Disabled"),
        (
            f"Enable the key {KEY}.",
            "kms/latest/developerguide/key-state.html",
            [f"aws kms enable-key --key-id {KEY} --region eu-west-1"],
        ),
    ),
    "a key that will be deleted": (
        lambda: registry.restore_key(KEY, state="PendingDeletion"),
        (
            f"Cancel the deletion of the key {KEY} and enable it again.",
            "kms/latest/developerguide/key-state.html",
            [
                f"aws kms cancel-key-deletion --key-id {KEY} --region eu-west-1",
                f"aws kms enable-key --key-id {KEY} --region eu-west-1",
            ],
        ),
    ),
    "a key without material": (
        lambda: registry.restore_key(KEY, state="PendingImport"),
        (f"Import the key material of {KEY} again.", "kms/latest/developerguide/key-state.html", []),
    ),
    "a key in another state": (
        lambda: registry.restore_key(KEY, state="Unavailable"),
        (
            f"Make the key {KEY} usable again: its state is Unavailable.",
            "kms/latest/developerguide/key-state.html",
            [],
        ),
    ),
    "a key that is gone": (
        lambda: registry.replace_repository(REPOSITORY, key="key/1"),
        (
            (
                "Create the repository team/app again with a key that exists, and push the images again. The key key/1 "
                "no longer exists, so nobody can decrypt the images."
            ),
            f"{ECR}encryption-at-rest.html",
            [],
        ),
    ),
    "too many pulls": (
        lambda: registry.pull_less_often(**HERE, upstream=None),
        (LESS_OFTEN, f"{ECR}service-quotas.html", []),
    ),
    "too many pulls for an upstream registry": (
        lambda: registry.pull_less_often(**HERE, upstream="docker.io"),
        (
            (
                f"{LESS_OFTEN} If docker.io refused the pull, give its pull through cache rule credentials of a larger "
                "plan."
            ),
            f"{ECR}service-quotas.html",
            [],
        ),
    ),
    "a secret that will be deleted": (
        lambda: registry.restore_secret(SECRET, **HERE),
        (
            "Cancel the deletion of the secret ecr-pullthroughcache/hub.",
            f"{ECR}pull-through-cache-creating-secret.html",
            ["aws secretsmanager restore-secret --secret-id ecr-pullthroughcache/hub --region eu-west-1"],
        ),
    ),
    "a secret under another key": (
        lambda: registry.use_default_key(SECRET, **HERE),
        (
            "Encrypt the secret ecr-pullthroughcache/hub with the key alias/aws/secretsmanager.",
            f"{ECR}pull-through-cache-creating-secret.html",
            [
                (
                    "aws secretsmanager update-secret --secret-id ecr-pullthroughcache/hub --kms-key-id "
                    "alias/aws/secretsmanager --region eu-west-1"
                )
            ],
        ),
    ),
    "an upstream registry with credentials": (
        lambda: registry.fix_upstream_access(REPOSITORY, prefix="hub", secret=SECRET),
        (
            (
                "Check the user name and access token in the secret ecr-pullthroughcache/hub; the pull through cache "
                "rule hub of account 111111111111 serves this repository."
            ),
            f"{ECR}error-pullthroughcache.html",
            [],
        ),
    ),
    "an upstream registry without": (
        lambda: registry.fix_upstream_access(REPOSITORY, prefix="hub", secret=None),
        (
            (
                "Check whether the image exists upstream; the pull through cache rule hub of account 111111111111 "
                "serves this repository."
            ),
            f"{ECR}error-pullthroughcache.html",
            [],
        ),
    ),
    "a full disk of Fargate": (
        lambda: registry.free_disk(**HERE, fargate=True),
        (
            "Request more ephemeral-storage in the pod: Fargate provides 20 GiB by default, and at most 175 GiB.",
            f"{EKS}fargate-pod-configuration.html",
            [],
        ),
    ),
    "a full disk of a node": (
        lambda: registry.free_disk(**HERE, fargate=False),
        (
            (
                "Give the nodes larger volumes (in the launch template or node group), or free space: smaller images, "
                "fewer images on each node, a lower imageGCHighThresholdPercent. A replaced node works until its disk "
                "is full again."
            ),
            f"{EKS}launch-templates.html",
            [],
        ),
    ),
    "an expired token": (
        lambda: registry.renew_registry_token(**HERE),
        (
            (
                "Remove the imagePullSecret with the expired token from the pod and its service account: kubelet then "
                "gets new tokens with the node's role. If you need the secret, renew it every few hours (aws ecr "
                "get-login-password)."
            ),
            f"{ECR}registry_auth.html",
            [],
        ),
    ),
    "an expired login of ECR Public": (
        lambda: registry.drop_public_login(**HERE),
        (
            (
                "Remove the imagePullSecret for public.ecr.aws from the pod and its service account, and its login "
                "from the node's container runtime (docker logout public.ecr.aws): ECR Public needs none. If you need "
                "the higher rate of pulls with a login, renew it every few hours (aws ecr-public get-login-password "
                "--region us-east-1)."
            ),
            "AmazonECR/latest/public/public-registry-auth.html",
            [],
        ),
    ),
    "credentials that AWS refuses": (
        lambda: registry.renew_node_credentials(**HERE),
        (
            (
                "Remove static or expired AWS credentials from the node (environment of kubelet, ~/.aws), correct its "
                "clock, and make sure that its role exists. kubelet then gets new credentials. Replacing the node does "
                "all of this."
            ),
            f"{EKS}create-node-role.html",
            [],
        ),
    ),
}


@pytest.mark.parametrize(("fix", "expected"), FIXES.values(), ids=FIXES)
def test_fix(fix: Callable[[], Remediation], expected: Told) -> None:
    assert told(fix()) == expected
