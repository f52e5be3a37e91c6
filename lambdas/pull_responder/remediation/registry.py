"""Fixes to repositories, images, KMS keys, registry tokens and pull through cache rules.

Most of them are for people to do, so they have a summary but no commands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pull_responder.model.verdict import Remediation
from pull_responder.remediation import docs
from pull_responder.remediation.shell import aws

if TYPE_CHECKING:
    from pull_responder.model.arn import Arn

# The key that Secrets Manager uses by default.
_SECRETS_MANAGER_KEY = "alias/aws/secretsmanager"


def name_other_repository(repository: Arn, *, found: tuple[str, ...]) -> Remediation:
    """Say what to do if a repository does not exist. `found` are repositories that the pod may mean, as URIs."""
    name = _name(repository)
    other = (
        f"Use {' or '.join(found)} in the pod, or create" if found else "Correct the image's name in the pod, or create"
    )
    return _by_hand(
        f"{other} the repository {name} in account {repository.account}, {repository.region}, and push the image.",
        repository,
        docs.ECR_TROUBLESHOOTING,
    )


def name_other_image(repository: Arn, *, image: str, near: tuple[str, ...]) -> Remediation:
    """Say what to do if an image does not exist. `near` are tags that the pod may mean."""
    other = f"Use the tag {' or '.join(near)} in the pod" if near else "Use an existing image in the pod"
    return _by_hand(f"{other}, or push {image} again.", repository, docs.ECR_TROUBLESHOOTING)


def restore_image(repository: Arn, *, image: str, digest: str) -> Remediation:
    """Restore an archived image. Source: Amazon ECR User Guide, "Restoring an archived image"."""
    command = aws(
        "ecr",
        "update-image-storage-class",
        registry_id=repository.account,
        repository_name=_name(repository),
        image_id=f"imageDigest={digest}",
        target_storage_class="STANDARD",
        region=repository.region,
    )
    summary = f"Restore {image} from the archive. Within 20 minutes its status is ACTIVE again and it can be pulled."
    return Remediation(summary, repository.account, repository.region, docs.ECR_ARCHIVE, (command,))


def push_an_image(repository: Arn, *, image: str) -> Remediation:
    """Say what to do about a tag that points to an attestation or to another artifact."""
    return _by_hand(
        f"Push the image itself as {image}: the index that the build made, not one of the manifests in it. `docker "
        "buildx build --provenance=false --sbom=false` makes no attestations.",
        repository,
        docs.ECR_MULTI_ARCHITECTURE,
    )


def await_restore(repository: Arn, *, image: str) -> Remediation:
    """Say that an image is being restored from the archive."""
    return _by_hand(
        f"Wait: {image} is being restored from the archive, which takes up to 20 minutes.", repository, docs.ECR_ARCHIVE
    )


def build_for(repository: Arn, *, image: str, platforms: str) -> Remediation:
    """Say which platforms to build an image for."""
    summary = (
        f"Build {image} for {platforms or 'the platform of the node'} as well, and push it. Or schedule the pod on "
        "nodes of a platform that the image has, by the node labels kubernetes.io/os and kubernetes.io/arch."
    )
    return _by_hand(summary, repository, docs.ECR_MULTI_ARCHITECTURE)


def restore_key(key: Arn, *, state: str) -> Remediation:
    """Make a KMS key usable again. No command if the key's material is missing.

    `state` is the key's state in KMS. A key whose deletion is canceled must also be enabled. Source: AWS KMS API
    Reference, CancelKeyDeletion.
    """
    commands = {
        "Disabled": ("enable-key",),
        "PendingDeletion": ("cancel-key-deletion", "enable-key"),
    }.get(state, ())
    summary = {
        "Disabled": f"Enable the key {key}.",
        "PendingDeletion": f"Cancel the deletion of the key {key} and enable it again.",
        "PendingImport": f"Import the key material of {key} again.",
    }.get(state, f"Make the key {key} usable again: its state is {state}.")
    return Remediation(
        summary,
        key.account,
        key.region,
        docs.KMS_KEY_STATES,
        tuple(aws("kms", each, key_id=str(key), region=key.region) for each in commands),
    )


def replace_repository(repository: Arn, *, key: str) -> Remediation:
    """Say what to do if the key no longer exists. Nobody can decrypt the images any more."""
    summary = (
        f"Create the repository {_name(repository)} again with a key that exists, and push the images again. The key "
        f"{key} no longer exists, so nobody can decrypt the images."
    )
    return _by_hand(summary, repository, docs.ECR_ENCRYPTION)


def pull_less_often(*, account: str, region: str, upstream: str | None) -> Remediation:
    """Say how to stay below a registry's limits. `upstream` is the upstream registry of a pull through cache."""
    summary = (
        "Pull less often: set imagePullPolicy to IfNotPresent, start fewer pods at once, use images that share layers. "
        "If that is not enough, request a higher Amazon ECR quota in Service Quotas."
    )
    if upstream:
        summary += f" If {upstream} refused the pull, give its pull through cache rule credentials of a larger plan."
    return Remediation(summary, account, region, docs.ECR_QUOTAS)


def restore_secret(secret: str, *, account: str, region: str) -> Remediation:
    """Cancel the deletion of a secret."""
    command = aws("secretsmanager", "restore-secret", secret_id=secret, region=region)
    return Remediation(
        f"Cancel the deletion of the secret {secret}.", account, region, docs.ECR_CACHE_SECRET, (command,)
    )


def use_default_key(secret: str, *, account: str, region: str) -> Remediation:
    """Encrypt a secret with Secrets Manager's default key. A pull through cache can use no other key.

    Source: Amazon ECR User Guide, "Storing your upstream repository credentials in an AWS Secrets Manager secret".
    """
    command = aws("secretsmanager", "update-secret", secret_id=secret, kms_key_id=_SECRETS_MANAGER_KEY, region=region)
    summary = f"Encrypt the secret {secret} with the key {_SECRETS_MANAGER_KEY}."
    return Remediation(summary, account, region, docs.ECR_CACHE_SECRET, (command,))


def fix_upstream_access(repository: Arn, *, prefix: str, secret: str | None) -> Remediation:
    """Say what to check if ECR cannot fetch from an upstream registry.

    `prefix` is that of the pull through cache rule. `secret` is the secret with its credentials, if it has one.
    """
    what = f"the user name and access token in the secret {secret}" if secret else "whether the image exists upstream"
    summary = (
        f"Check {what}; the pull through cache rule {prefix} of account {repository.account} serves this repository."
    )
    return _by_hand(summary, repository, docs.ECR_CACHE_TROUBLESHOOTING)


def free_disk(*, account: str, region: str, fargate: bool) -> Remediation:
    """Say how a node gets more disk space for images."""
    summary = (
        "Request more ephemeral-storage in the pod: Fargate provides 20 GiB by default, and at most 175 GiB."
        if fargate
        else "Give the nodes larger volumes (in the launch template or node group), or free space: smaller images, "
        "fewer images on each node, a lower imageGCHighThresholdPercent. A replaced node works until its disk is full "
        "again."
    )
    return Remediation(summary, account, region, docs.EKS_FARGATE_STORAGE if fargate else docs.EKS_LAUNCH_TEMPLATES)


def renew_registry_token(*, account: str, region: str) -> Remediation:
    """Say how kubelet gets valid registry tokens."""
    summary = (
        "Remove the imagePullSecret with the expired token from the pod and its service account: kubelet then gets new "
        "tokens with the node's role. If you need the secret, renew it every few hours (aws ecr get-login-password)."
    )
    return Remediation(summary, account, region, docs.ECR_REGISTRY_AUTH)


def drop_public_login(*, account: str, region: str) -> Remediation:
    """Say how nodes pull from ECR Public without a login.

    Source: Amazon ECR Public User Guide, "Registry authentication in Amazon ECR public".
    """
    summary = (
        "Remove the imagePullSecret for public.ecr.aws from the pod and its service account, and its login from the "
        "node's container runtime (docker logout public.ecr.aws): ECR Public needs none. If you need the higher rate "
        "of pulls with a login, renew it every few hours (aws ecr-public get-login-password --region us-east-1)."
    )
    return Remediation(summary, account, region, docs.ECR_PUBLIC_AUTH)


def renew_node_credentials(*, account: str, region: str) -> Remediation:
    """Say how a node gets credentials that AWS accepts."""
    summary = (
        "Remove static or expired AWS credentials from the node (environment of kubelet, ~/.aws), correct its clock, "
        "and make sure that its role exists. kubelet then gets new credentials. Replacing the node does all of this."
    )
    return Remediation(summary, account, region, docs.EKS_NODE_ROLE)


def _by_hand(summary: str, repository: Arn, docs_url: str) -> Remediation:
    return Remediation(summary, repository.account, repository.region, docs_url)


def _name(repository: Arn) -> str:
    return repository.resource.removeprefix("repository/")
