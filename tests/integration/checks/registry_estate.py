"""Pulls that a kubelet reported, and what a registry can hold."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from pull_responder.events.kubelet_message import read_message
from pull_responder.model.arn import Arn
from pull_responder.model.pull import Principal, PrincipalKind, PullFailure, Symptom
from pull_responder.model.unread import Unread
from tests.integration.checks.estate import PULL_ONLY, REGION, name_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from pull_responder.diagnosis import Diagnosis
    from pull_responder.facts.aws import Aws
    from pull_responder.findings.finding import Finding
    from tests.integration.checks.estate import Estate

INDEX: Final = "application/vnd.oci.image.index.v1+json"
NO_DIGEST: Final = "sha256:" + "0" * 64


# Before anything that a test pushes.
FAILED_AT = "2026-03-01T12:00:00Z"


def reported(  # noqa: PLR0913 -- each is one keyword
    estate: Estate,
    repository: Arn | None,
    message: str | None = None,
    *,
    symptom: Symptom | None = None,
    tag: str | None = "v1",
    digest: str | None = None,
    role: Arn | None = None,
    node: str | None = None,
    upstream_failure: str | None = None,
) -> PullFailure:
    """The pull of a node of cluster prod; `message` is what its kubelet said, which tells the symptom unless given."""
    role = role or estate.role(attach=[PULL_ONLY])
    node = node or estate.instance()
    return PullFailure(
        symptom=symptom or read_message(message or "").symptom,
        stage=None,
        region=REGION,
        account=estate.account,
        principal=Principal(
            kind=PrincipalKind.ROLE,
            arn=f"arn:aws:sts::{role.account}:assumed-role/{name_of(role)}/{node}",
            partition="aws",
            account=role.account,
            name=name_of(role),
            session_name=node,
            role_arn=str(role),
        ),
        registry_account=repository.account if repository else None,
        repository=name_of(repository) if repository else None,
        tag=tag,
        digest=digest,
        cluster="prod",
        node=node,
        namespace="shop",
        pod="web-0",
        observed_at=FAILED_AT,
        message=message,
        upstream_failure=upstream_failure,
    )


def missing(estate: Estate, name: str) -> Arn:
    """A repository that our registry does not have."""
    return Arn("aws", "ecr", REGION, estate.account, f"repository/{name}")


def push(estate: Estate, repository: Arn, tag: str, *, manifest: dict[str, Any] | None = None) -> str:
    """Push an image; return its digest."""
    ecr = estate.client("ecr")
    media_type = (manifest or {}).get("mediaType", "application/vnd.oci.image.manifest.v1+json")
    text = json.dumps(manifest or {"schemaVersion": 2, "config": {"size": len(tag)}, "annotations": {"tag": tag}})
    made = ecr.put_image(
        repositoryName=name_of(repository), imageTag=tag, imageManifest=text, imageManifestMediaType=media_type
    )
    digest: str = made["image"]["imageId"]["imageDigest"]
    return digest


def index(*platforms: str) -> dict[str, Any]:
    """An image index for platforms like "linux/amd64"; "" is an entry that names none."""
    entries = []
    for number, platform in enumerate(platforms):
        os, _, architecture = platform.partition("/")
        named = {"platform": {"os": os, "architecture": architecture}} if platform else {}
        entries.append({"digest": f"sha256:{number:064x}", "size": 1, **named})
    return {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}


def lifecycle(estate: Estate, repository: Arn, *selections: dict[str, Any]) -> None:
    """A lifecycle policy that expires, with a rule for each selection."""
    rules = [
        {"rulePriority": number, "description": f"rule of {number}", "selection": each, "action": {"type": "expire"}}
        for number, each in enumerate(selections, start=1)
    ]
    estate.client("ecr").put_lifecycle_policy(
        repositoryName=name_of(repository), lifecyclePolicyText=json.dumps({"rules": rules})
    )


def amend(
    aws: Aws, service: str, operation: str, change: Callable[[dict[str, Any]], None], *, region: str = REGION
) -> None:
    """Have AWS's answer to one operation say what the emulated one cannot."""
    client = aws.client(service, account=None, region=region)
    assert not isinstance(client, Unread)
    client.meta.events.register(f"after-call.{service}.{operation}", lambda parsed, **_: change(parsed))


def of_cause(diagnosis: Diagnosis, cause: str) -> Finding:
    """The one finding, which is of that cause."""
    assert [finding.cause for finding in diagnosis.findings] == [cause]
    return diagnosis.findings[0]


def mentioned(diagnosis: Diagnosis) -> set[str]:
    """The causes that were found, or could not be decided."""
    return {each.cause for each in diagnosis.findings} | {each.cause for each in diagnosis.inconclusive}


def reasons(diagnosis: Diagnosis) -> dict[str, str]:
    """Why each cause that might explain the failure could not be decided; nothing was found."""
    assert diagnosis.findings == ()
    return {each.cause: each.reason for each in diagnosis.inconclusive}
