"""Builds the repositories of worlds in the emulated AWS."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.integration.checks.registry_estate import index
from tests.integration.network.estate import IMAGE, PULL
from tests.integration.worlds.caches import cached_name
from tests.integration.worlds.recorded import OTHERS, OURS
from tests.integration.worlds.statements import allow, deny, policy
from tests.integration.worlds.world import World, fetches

if TYPE_CHECKING:
    from tests.integration.worlds.recorded import Emulated


def build_repository(world: World, name: str, emulated: Emulated) -> tuple[str, str]:
    """The name of the world's repository, and the id of its key; empty without a key of its own."""
    if world.of_aws:
        return f"eks/{name}", ""
    if world.cache:
        name = cached_name(world, name)
    if world.repository == "absent" or fetches(world):
        return name, ""
    key = _key(world, emulated) if world.key else ""
    encryption = {"encryptionConfiguration": {"encryptionType": "KMS", "kmsKey": key}} if key else {}
    ecr = emulated.client("ecr", OTHERS if world.shared else OURS)
    ecr.create_repository(repositoryName=name, **encryption)
    _put_images(world, name, ecr)
    statements = _policy(world)
    if statements:
        ecr.set_repository_policy(repositoryName=name, policyText=policy(*statements))
    if "lifecycle policy" in world.misses:
        rule = {
            "rulePriority": 1,
            "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 9},
            "action": {"type": "expire"},
        }
        ecr.put_lifecycle_policy(repositoryName=name, lifecyclePolicyText=json.dumps({"rules": [rule]}))
    return name, key


def _key(world: World, emulated: Emulated) -> str:
    kms = emulated.client("kms")
    key: str = kms.create_key()["KeyMetadata"]["KeyId"]
    if world.key == "disabled":
        kms.disable_key(KeyId=key)
    if world.key == "pending deletion":
        kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    return key


def _put_images(world: World, name: str, ecr: Any) -> None:  # noqa: ANN401 -- boto3's ECR client
    for tag in [*(["v1"] if world.image != "absent" else []), "v0"]:
        platform = {"index": "linux/amd64", "other platform": "linux/arm64"}.get(world.image)
        manifest = index("linux/s390x", platform) if platform and tag == "v1" else {**IMAGE, "tag": tag}
        ecr.put_image(
            repositoryName=name,
            imageTag=tag,
            imageManifest=json.dumps(manifest),
            imageManifestMediaType=manifest["mediaType"],
        )
    if "another image absent" in world.misses:
        ecr.batch_delete_image(repositoryName=name, imageIds=[{"imageTag": "v0"}])


def _policy(world: World) -> list[dict[str, Any]]:
    images = list(PULL[1:])
    granted = {"grants": OURS, "others": "888888888888"}.get(world.repository_policy) if world.shared else None
    statements = [allow(*images, Principal={"AWS": f"arn:aws:iam::{granted}:root"}, on=None)] if granted else []
    but = {"ArnNotEquals": {"aws:PrincipalArn": f"arn:aws:iam::{OURS}:role/team"}}
    denies = {"denies": {}, "isolated": {"Condition": but}}
    if world.repository_policy in denies:
        statements += [deny("ecr:BatchGetImage", Principal="*", on=None, **denies[world.repository_policy])]
        if world.shared:
            statements += [allow(*images, Principal={"AWS": f"arn:aws:iam::{OURS}:root"}, on=None)]
    if "repository denies another role" in world.misses:
        other = {"AWS": f"arn:aws:iam::{OURS}:role/others"}
        statements += [deny("ecr:*", Principal=other, on=None)]
    return statements
