"""The policies of a registry and of a repository, as ECR returns them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from pull_responder.model.reason import Reason
from pull_responder.model.unread import Unread

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_ecr import ECRClient

    from pull_responder.facts.reader import Reader

PERMISSIONS: Final = (
    "ecr:DescribePullThroughCacheRules",
    "ecr:GetAccountSetting",
    "ecr:GetRegistryPolicy",
    "ecr:GetRepositoryPolicy",
    "ecr:ListTagsForResource",
)

RegistryScope = Literal["V1", "V2"]


@dataclass(frozen=True, slots=True)
class RepositoryPolicy:
    """A repository that exists, and its policy. The policy is None where it has none."""

    document: Mapping[str, Any] | None


def read_repository_policy(reader: Reader, account: str, region: str, name: str) -> RepositoryPolicy | Unread | None:
    """Return the repository's policy, None if this registry has no repository of this name."""

    def request(client: ECRClient) -> str | None:
        try:
            return client.get_repository_policy(registryId=account, repositoryName=name)["policyText"]
        except client.exceptions.RepositoryPolicyNotFoundException:
            return ""

    text = reader.call(
        "ecr:GetRepositoryPolicy",
        account=account,
        region=region,
        request=request,
        absent=frozenset({"RepositoryNotFoundException"}),
    )
    if text is None or isinstance(text, Unread):
        return text
    document = _parse(text or None, f"the policy of repository {name}")
    return document if isinstance(document, Unread) else RepositoryPolicy(document)


def read_repository_tags(reader: Reader, account: str, region: str, name: str) -> Mapping[str, str] | Unread | None:
    """Return the repository's tags, None if this registry has no repository of this name."""
    arn = f"arn:{reader.partition}:ecr:{region}:{account}:repository/{name}"

    def request(client: ECRClient) -> Mapping[str, str]:
        return {tag["Key"]: tag["Value"] for tag in client.list_tags_for_resource(resourceArn=arn)["tags"]}

    return reader.call(
        "ecr:ListTagsForResource",
        account=account,
        region=region,
        request=request,
        absent=frozenset({"RepositoryNotFoundException"}),
    )


def read_registry_policy(reader: Reader, account: str, region: str) -> Mapping[str, Any] | Unread | None:
    """Return the policy of the account's registry, None if it has none."""

    def request(client: ECRClient) -> str:
        return client.get_registry_policy()["policyText"]

    text = reader.call(
        "ecr:GetRegistryPolicy",
        account=account,
        region=region,
        request=request,
        absent=frozenset({"RegistryPolicyNotFoundException"}),
    )
    return _parse(text, f"the registry policy of {account}")


def read_registry_policy_scope(reader: Reader, account: str, region: str) -> RegistryScope | Unread:
    """Return the registry policy's scope: V2 for every ECR request, V1 for three actions only.

    Source: Amazon ECR User Guide, "Registry permissions in Amazon ECR"; API reference, GetAccountSetting.
    """

    def request(client: ECRClient) -> str:
        return client.get_account_setting(name="REGISTRY_POLICY_SCOPE")["value"]

    scope = reader.call("ecr:GetAccountSetting", account=account, region=region, request=request)
    if isinstance(scope, Unread):
        return scope
    if scope == "V1":
        return "V1"
    return (
        "V2"
        if scope == "V2"
        else Unread(
            Reason(
                f"ecr:GetAccountSetting answered {scope!r} as REGISTRY_POLICY_SCOPE",
                "Run `aws ecr get-account-setting --name REGISTRY_POLICY_SCOPE` in the registry's account.",
            )
        )
    )


def _parse(text: str | Unread | None, what: str) -> Mapping[str, Any] | Unread | None:
    if text is None or isinstance(text, Unread):
        return text
    try:
        document = json.loads(text)
    except ValueError as error:
        return Unread(
            Reason(f"{what} is not JSON: {error}", f"Open {what} in the ECR console and correct it: it is not JSON.")
        )
    return document if isinstance(document, dict) else Unread(f"{what} is not a JSON object")
