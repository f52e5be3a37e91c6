"""Fixes to what a registry holds: its repositories, images, keys, and the upstream registries it caches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pull_responder.model.verdict import Remediation
from pull_responder.remediation import docs
from pull_responder.remediation.shell import aws

if TYPE_CHECKING:
    from pull_responder.model.arn import Arn

# What Secrets Manager encrypts with unless told otherwise.
_SECRETS_MANAGER_KEY = "alias/aws/secretsmanager"


def name_other_repository(repository: Arn, *, found: tuple[str, ...]) -> Remediation:
    """Say what to do about a repository that is not there; `found` are the ones that may be meant, as URIs."""
    name = _name(repository)
    other = (
        f"Name {' or '.join(found)} in the pod, or create"
        if found
        else "Correct the image's name in the pod, or create"
    )
    return _by_hand(
        f"{other} the repository {name} in account {repository.account}, {repository.region}, and push the image.",
        repository,
        docs.ECR_TROUBLESHOOTING,
    )


def name_other_image(repository: Arn, *, image: str, near: tuple[str, ...]) -> Remediation:
    """Say what to do about an image that is not there; `near` are tags that may be meant."""
    other = f"Name {' or '.join(near)} in the pod" if near else "Name an image in the pod that is there"
    return _by_hand(f"{other}, or push {image} again.", repository, docs.ECR_TROUBLESHOOTING)


def restore_image(repository: Arn, *, image: str, digest: str) -> Remediation:
    """Take an image out of the archive. Source: Amazon ECR User Guide, "Restoring an archived image"."""
    command = aws(
        "ecr",
        "update-image-storage-class",
        registry_id=repository.account,
        repository_name=_name(repository),
        image_id=f"imageDigest={digest}",
        target_storage_class="STANDARD",
        region=repository.region,
    )
    summary = f"Restore {image} from the archive; it can be pulled when its status is ACTIVE again, within 20 minutes."
    return Remediation(summary, repository.account, repository.region, docs.ECR_ARCHIVE, (command,))


def await_restore(repository: Arn, *, image: str) -> Remediation:
    """Say that an image is on its way out of the archive."""
    return _by_hand(
        f"Wait: {image} is being restored from the archive, which takes up to 20 minutes.", repository, docs.ECR_ARCHIVE
    )


def build_for(repository: Arn, *, image: str, platforms: str) -> Remediation:
    """Say that an image is needed for other platforms."""
    summary = (
        f"Build {image} for {platforms or 'the platform of the node'} too, and push it; or schedule the pod on nodes "
        "of a platform that it has, by the node labels kubernetes.io/os and kubernetes.io/arch."
    )
    return _by_hand(summary, repository, docs.ECR_MULTI_ARCHITECTURE)


def revive_key(key: Arn, *, state: str) -> Remediation:
    """Make a KMS key usable again. No command where the key's material is missing.

    Source: AWS KMS API Reference, CancelKeyDeletion: the key is disabled afterwards.
    """
    commands = {
        "Disabled": ("enable-key",),
        "PendingDeletion": ("cancel-key-deletion", "enable-key"),
    }.get(state, ())
    summary = {
        "Disabled": f"Enable the key {key}.",
        "PendingDeletion": f"Cancel the deletion of the key {key}, and enable it again.",
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
    """Say what is left when the key is gone: what it encrypted cannot be read any more, by anybody."""
    summary = (
        f"The key {key} is gone, and with it the images: create the repository {_name(repository)} anew with a key "
        "that exists, and push the images again."
    )
    return _by_hand(summary, repository, docs.ECR_ENCRYPTION)


def pull_less_often(*, account: str, region: str, upstream: str | None) -> Remediation:
    """Say how to stay below a registry's limits."""
    summary = (
        "Pull less often: imagePullPolicy IfNotPresent, fewer pods at once, images that share layers; where that is "
        "not enough, ask for a higher quota of Amazon ECR in Service Quotas."
    )
    if upstream:
        summary += f" If it was {upstream} that refused, give its pull through cache rule credentials of a larger plan."
    return Remediation(summary, account, region, docs.ECR_QUOTAS)


def restore_secret(secret: str, *, account: str, region: str) -> Remediation:
    """Take back the deletion of a secret."""
    command = aws("secretsmanager", "restore-secret", secret_id=secret, region=region)
    return Remediation(
        f"Cancel the deletion of the secret {secret}.", account, region, docs.ECR_CACHE_SECRET, (command,)
    )


def use_default_key(secret: str, *, account: str, region: str) -> Remediation:
    """Encrypt a secret with Secrets Manager's own key, the only one that a pull through cache can use.

    Source: Amazon ECR User Guide, "Storing your upstream repository credentials in an AWS Secrets Manager secret".
    """
    command = aws("secretsmanager", "update-secret", secret_id=secret, kms_key_id=_SECRETS_MANAGER_KEY, region=region)
    summary = f"Encrypt the secret {secret} with the key {_SECRETS_MANAGER_KEY}."
    return Remediation(summary, account, region, docs.ECR_CACHE_SECRET, (command,))


def mend_upstream_access(repository: Arn, *, prefix: str, secret: str | None) -> Remediation:
    """Say who has to mend the credentials by which ECR fetches from an upstream registry."""
    what = f"the user name and access token in the secret {secret}" if secret else "whether the image exists upstream"
    summary = (
        f"Check {what}; the pull through cache rule {prefix} of account {repository.account} serves this repository."
    )
    return _by_hand(summary, repository, docs.ECR_CACHE_TROUBLESHOOTING)


def free_disk(*, account: str, region: str, fargate: bool) -> Remediation:
    """Say how a node gets room for images."""
    summary = (
        "Request more ephemeral-storage in the pod: Fargate provides 20 GiB unless asked for more, at most 175 GiB."
        if fargate
        else "Give the nodes larger volumes (in the launch template or node group), or make room: smaller images, "
        "fewer of them a node, lower imageGCHighThresholdPercent. Replacing the node helps until it is full again."
    )
    return Remediation(summary, account, region, docs.EKS_FARGATE_STORAGE if fargate else docs.EKS_LAUNCH_TEMPLATES)


def renew_registry_token(*, account: str, region: str) -> Remediation:
    """Say how nodes get fresh tokens."""
    summary = (
        "Take the imagePullSecret with the old token out of the pod and its service account: kubelet fetches fresh "
        "tokens with the node's role. If the secret is needed, renew it every few hours (aws ecr get-login-password)."
    )
    return Remediation(summary, account, region, docs.ECR_REGISTRY_AUTH)


def renew_node_credentials(*, account: str, region: str) -> Remediation:
    """Say how a node gets credentials that AWS takes."""
    summary = (
        "Take static or old AWS credentials off the node (environment of kubelet, ~/.aws), set its clock, and see that "
        "its role exists; then kubelet gets fresh credentials by itself. Replacing the node does all of it."
    )
    return Remediation(summary, account, region, docs.EKS_NODE_ROLE)


def _by_hand(summary: str, repository: Arn, docs_url: str) -> Remediation:
    return Remediation(summary, repository.account, repository.region, docs_url)


def _name(repository: Arn) -> str:
    return repository.resource.removeprefix("repository/")
