"""A role, its policies and its boundary, as IAM returns them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from pull_responder.facts.paging import pages
from pull_responder.model.reason import AGAIN, Reason
from pull_responder.model.unread import Unread

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mypy_boto3_iam import IAMClient

    from pull_responder.facts.reader import Reader

ROLE_PERMISSIONS: Final = (
    "iam:GetPolicy",
    "iam:GetPolicyVersion",
    "iam:GetRole",
    "iam:GetRolePolicy",
    "iam:ListAttachedRolePolicies",
    "iam:ListPolicies",
    "iam:ListPolicyVersions",
    "iam:ListRolePolicies",
)

PROFILE_PERMISSIONS: Final = ("iam:GetInstanceProfile", "iam:GetRole")
PROFILES_OF_ROLE_PERMISSIONS: Final = ("iam:ListInstanceProfilesForRole",)

# Source: IAM API Reference, ListPolicies, MaxItems.
_MOST_A_PAGE: Final = 1000
_NO_SUCH_ENTITY: Final = frozenset({"NoSuchEntity"})


@dataclass(frozen=True, slots=True)
class Role:
    """A role. `arn` has the path, which session ARNs leave out. `boundary_arn` is None where there is no boundary."""

    arn: str
    name: str
    account: str
    trust_policy: Mapping[str, object]
    boundary_arn: str | None
    tags: Mapping[str, str] = field(default_factory=dict)

    def trusts(self, service: str) -> bool:
        """Return whether the trust policy names the service (such as "ec2", in the spelling of any partition).

        Conditions and Deny statements are ignored: the answer says what a role is meant for, not what it can do.
        """
        return service in {name.split(".")[0] for name in self.trusted("Service")}

    def trusted(self, kind: str) -> tuple[str, ...]:
        """Return the principals of a kind ("Service", "Federated") that the trust policy allows, as it writes them.

        Conditions and Deny statements are ignored, as in `trusts`.
        """
        found: list[str] = []
        statements = self.trust_policy.get("Statement", [])
        for statement in statements if isinstance(statements, list) else [statements]:
            if not isinstance(statement, dict) or statement.get("Effect") != "Allow":
                continue
            principal = statement.get("Principal", {})
            named = principal.get(kind, []) if isinstance(principal, dict) else []
            found += map(str, [named] if isinstance(named, str) else named)
        return tuple(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class PolicyText:
    """A policy as it stands in AWS. `arn` is None for an inline policy.

    - `versions` are the version ids of a customer managed policy, oldest first.
    - `default_version` is the version in force.

    Both are empty for other policies.
    """

    name: str
    arn: str | None
    document: Mapping[str, Any]
    default_version: str = ""
    versions: tuple[str, ...] = ()

    @property
    def is_aws_managed(self) -> bool:
        """Whether AWS owns it. Nobody else can change it then."""
        return self.arn is not None and self.arn.split(":")[4] == "aws"


def read_role(reader: Reader, account: str, region: str, name: str) -> Role | Unread | None:
    """Return the role called `name` (without its path), None if there is none."""

    def request(client: IAMClient) -> Role:
        role = client.get_role(RoleName=name)["Role"]
        return Role(
            arn=role["Arn"],
            name=role["RoleName"],
            account=account,
            trust_policy=_document(role.get("AssumeRolePolicyDocument", {})),
            boundary_arn=role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn"),
            tags={tag["Key"]: tag["Value"] for tag in role.get("Tags", [])},
        )

    return reader.call("iam:GetRole", account=account, region=region, request=request, absent=_NO_SUCH_ENTITY)


@dataclass(frozen=True, slots=True)
class InstanceProfile:
    """An instance profile. `role_arn` is None where it holds no role."""

    name: str
    role_arn: str | None


def read_instance_profile(reader: Reader, account: str, region: str, name: str) -> InstanceProfile | Unread | None:
    """Return the instance profile called `name`, None if there is none."""

    def request(client: IAMClient) -> InstanceProfile:
        roles = client.get_instance_profile(InstanceProfileName=name)["InstanceProfile"]["Roles"]
        return InstanceProfile(name, roles[0]["Arn"] if roles else None)

    return reader.call(
        "iam:GetInstanceProfile", account=account, region=region, request=request, absent=_NO_SUCH_ENTITY
    )


def read_profiles_of_role(reader: Reader, account: str, region: str, role: str) -> tuple[str, ...] | Unread | None:
    """Return the names of the instance profiles that hold the role, None if there is no such role."""

    def request(client: IAMClient) -> tuple[str, ...]:
        found = pages(client, "list_instance_profiles_for_role", "InstanceProfiles", RoleName=role)
        return tuple(sorted(profile["InstanceProfileName"] for profile in found))

    return reader.call(
        "iam:ListInstanceProfilesForRole", account=account, region=region, request=request, absent=_NO_SUCH_ENTITY
    )


def read_inline_policies(
    reader: Reader, account: str, region: str, role: str
) -> tuple[PolicyText | Unread, ...] | Unread | None:
    """Return the role's inline policies, each of which may be Unread. None if there is no such role."""

    def request(client: IAMClient) -> list[str]:
        return pages(client, "list_role_policies", "PolicyNames", RoleName=role)

    names = reader.call("iam:ListRolePolicies", account=account, region=region, request=request, absent=_NO_SUCH_ENTITY)
    if names is None or isinstance(names, Unread):
        return names

    def policy(name: str) -> PolicyText | Unread | None:
        def request(client: IAMClient) -> object:
            return client.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]

        found = reader.call(
            "iam:GetRolePolicy", account=account, region=region, request=request, absent=_NO_SUCH_ENTITY
        )
        document = found if found is None else _policy_document(found, f"inline policy {name}")
        if document is None or isinstance(document, Unread):
            return document
        return PolicyText(name=name, arn=None, document=document)

    return _existing(reader.each(policy, names))


def read_attached_policies(
    reader: Reader, account: str, region: str, role: str
) -> tuple[PolicyText | Unread, ...] | Unread | None:
    """Return the managed policies attached to the role, in their default versions. None if there is no such role.

    Each policy may be Unread.
    """

    def request(client: IAMClient) -> list[str]:
        attached = pages(client, "list_attached_role_policies", "AttachedPolicies", RoleName=role)
        return [policy["PolicyArn"] for policy in attached]

    reads: tuple[Callable[[], Any], ...] = (
        lambda: reader.call(
            "iam:ListAttachedRolePolicies", account=account, region=region, request=request, absent=_NO_SUCH_ENTITY
        ),
        # Listed in parallel, so that nothing waits for them.
        lambda: default_versions(reader, account, region),
    )
    arns: list[str] | Unread | None
    arns, _ = reader.each(lambda read: read(), reads)
    if arns is None or isinstance(arns, Unread):
        return arns
    return tuple(reader.each(lambda arn: read_managed_policy(reader, account, region, arn), arns))


def read_managed_policy(reader: Reader, account: str, region: str, arn: str) -> PolicyText | Unread:
    """Return a managed policy in its default version.

    It is read once, even where it is both attached and the boundary.
    """
    return reader.once(("managed policy", account, arn), lambda: _read_managed_policy(reader, account, region, arn))


def default_versions(reader: Reader, account: str, region: str) -> Mapping[str, str]:
    """Return the default version of each managed policy that is attached to anything in the account, by its ARN.

    This takes one call, of one page. The result is empty where AWS refuses the call. Other policies need GetPolicy.
    """

    def request(client: IAMClient) -> Mapping[str, str]:
        found = client.list_policies(OnlyAttached=True, MaxItems=_MOST_A_PAGE)["Policies"]
        return {each["Arn"]: each["DefaultVersionId"] for each in found if {"Arn", "DefaultVersionId"} <= each.keys()}

    def read() -> Mapping[str, str]:
        found = reader.call("iam:ListPolicies", account=account, region=region, request=request)
        return {} if found is None or isinstance(found, Unread) else found

    return reader.once(("default versions", account), read)


def _read_managed_policy(reader: Reader, account: str, region: str, arn: str) -> PolicyText | Unread:
    def default(client: IAMClient) -> str:
        return client.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]

    version = default_versions(reader, account, region).get(arn) or reader.call(
        "iam:GetPolicy", account=account, region=region, request=default
    )
    if version is None or isinstance(version, Unread):
        return version or Unread(Reason(f"policy {arn} has no default version", AGAIN))

    def request(client: IAMClient) -> object:
        return client.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]

    found = reader.call("iam:GetPolicyVersion", account=account, region=region, request=request)
    document = _policy_document(found, f"policy {arn} version {version}")
    if isinstance(document, Unread):
        return document
    return PolicyText(name=arn.rsplit("/", 1)[-1], arn=arn, document=document, default_version=version)


def read_policy_versions(reader: Reader, account: str, region: str, arn: str) -> tuple[str, ...] | Unread:
    """Return the version ids of a customer managed policy, oldest first. IAM keeps at most five."""

    def request(client: IAMClient) -> tuple[str, ...]:
        found = pages(client, "list_policy_versions", "Versions", PolicyArn=arn)
        return tuple(v["VersionId"] for v in sorted(found, key=lambda v: v["CreateDate"]))

    versions = reader.call("iam:ListPolicyVersions", account=account, region=region, request=request)
    return () if versions is None else versions


def _document(document: object) -> Mapping[str, Any]:
    # boto3 decodes policy documents. The type stubs still allow text.
    return document if isinstance(document, dict) else {}


def _policy_document(found: object, what: str) -> Mapping[str, Any] | Unread:
    """Return the document. boto3 does not decode one that is not JSON."""
    if isinstance(found, Unread):
        return found
    if isinstance(found, str):
        try:
            found = json.loads(found)
        except ValueError as error:
            return Unread(
                Reason(
                    f"{what} is not JSON: {error}", f"Open {what} in the IAM console and correct it: it is not JSON."
                )
            )
    return found if isinstance(found, dict) else Unread(f"{what} is not a JSON object")


def _existing(read: Sequence[PolicyText | Unread | None]) -> tuple[PolicyText | Unread, ...]:
    # None is a policy that was deleted after the listing. It no longer applies.
    return tuple(policy for policy in read if policy is not None)
