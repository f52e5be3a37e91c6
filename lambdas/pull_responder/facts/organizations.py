"""What AWS Organizations says of an account: its organization, its place there, and the policies that apply to it.

Every account may ask for its own organization. The management account can read the policies, and so can a delegated
administrator. A resource-based delegation policy may allow any of Organizations' reads to a member account (AWS
Organizations User Guide, "Delegated administrator for AWS Organizations" and "Resource-based policy examples for AWS
Organizations").
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

from pull_responder.facts.iam import PolicyText
from pull_responder.facts.paging import pages
from pull_responder.model.reason import AGAIN, Reason, Refusal, steps_of
from pull_responder.model.unread import Unread

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_organizations import OrganizationsClient

    from pull_responder.facts.reader import Reader

T = TypeVar("T")

PERMISSIONS: Final = (
    "organizations:DescribeOrganization",
    "organizations:DescribePolicy",
    "organizations:ListParents",
    "organizations:ListPoliciesForTarget",
    "organizations:ListRoots",
)

ControlPolicyType = Literal["SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"]

_NOT_IN_USE: Final = frozenset({"AWSOrganizationsNotInUseException"})
# AWS Organizations allows five levels of organizational units under the root ("Quotas for AWS Organizations").
_DEEPEST: Final = 10
# AWS attaches this policy to the root, every organizational unit and every account when resource control policies are
# enabled. Nobody can detach it (AWS Organizations User Guide, "RCP evaluation").
_RCP_FULL_ACCESS_ID: Final = "p-RCPFullAWSAccess"
_RCP_FULL_ACCESS: Final = PolicyText(
    name="RCPFullAWSAccess",
    arn=f"arn:aws:organizations::aws:policy/resource_control_policy/{_RCP_FULL_ACCESS_ID}",
    document={
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}],
    },
)


@dataclass(frozen=True, slots=True)
class Organization:
    """The organization of an account. None of its policies apply to its management account."""

    id: str
    management_account: str


@dataclass(frozen=True, slots=True)
class AccountPlace:
    """The place of an account: the ids from the root over the organizational units to the account itself.

    `viewer` is the account that could be asked.
    """

    path: tuple[str, ...]
    viewer: str

    def organization_path(self, organization: str) -> str:
        """Return the path in the form of aws:PrincipalOrgPaths: without the account, and with a slash at the end."""
        return "/".join((organization, *self.path[:-1], ""))


@dataclass(frozen=True, slots=True)
class ControlPolicies:
    """The policies of one kind that apply to an account: one tuple for each level, from the root to the account.

    - There are no levels where the organization does not use this kind of policy.
    - Unread stands for what could not be read of a level.
    - `manager` is the management account, in which the policies can be changed.
    """

    levels: tuple[tuple[PolicyText | Unread, ...], ...]
    manager: str

    @property
    def complete(self) -> bool:
        """Whether everything could be read."""
        return not any(isinstance(each, Unread) for level in self.levels for each in level)


def read_organization(reader: Reader, account: str, region: str) -> Organization | Unread | None:
    """Return the account's organization, None if it is in none."""

    def request(client: OrganizationsClient) -> Organization:
        found = client.describe_organization()["Organization"]
        return Organization(found["Id"], found["MasterAccountId"])

    return reader.call(
        "organizations:DescribeOrganization", account=account, region=region, request=request, absent=_NOT_IN_USE
    )


def read_place(reader: Reader, viewer: str, region: str, account: str) -> AccountPlace | Unread:
    """Return the place of `account` in the organization, as `viewer` sees it."""
    path = [account]
    while not path[0].startswith("r-"):
        child = path[0]

        def request(client: OrganizationsClient, child: str = child) -> str:
            return client.list_parents(ChildId=child)["Parents"][0]["Id"]

        parent = _ask(reader, viewer, region, "organizations:ListParents", request)
        if parent is None or isinstance(parent, Unread):
            return parent or Unread(Reason(f"{child} has no parent in the organization", AGAIN))
        if len(path) > _DEEPEST:
            return Unread(f"account {account} lies deeper in its organization than AWS Organizations allows")
        path.insert(0, parent)
    return AccountPlace(tuple(path), viewer)


def read_control_policies(
    reader: Reader, place: AccountPlace, organization: Organization, region: str, kind: ControlPolicyType
) -> ControlPolicies | Unread:
    """Return the policies of one kind that are attached to each target on the path to an account."""
    in_use = _is_enabled(reader, place, region, kind)
    if isinstance(in_use, Unread):
        return in_use
    if not in_use:
        return ControlPolicies((), organization.management_account)

    def attached(target: str) -> list[dict[str, Any]] | Unread | None:
        def request(client: OrganizationsClient) -> list[dict[str, Any]]:
            found = pages(client, "list_policies_for_target", "Policies", TargetId=target, Filter=kind)
            return [each for each in found if each["Id"]]

        return _ask(reader, place.viewer, region, "organizations:ListPoliciesForTarget", request)

    levels = [found or [] for found in reader.each(attached, place.path)]
    summaries = {each["Id"]: each for level in levels if not isinstance(level, Unread) for each in level}

    def document(policy_id: str) -> PolicyText | Unread:
        if policy_id == _RCP_FULL_ACCESS_ID:
            return _RCP_FULL_ACCESS
        return _read_policy(reader, place.viewer, region, summaries[policy_id])

    texts = dict(zip(summaries, reader.each(document, list(summaries)), strict=True))

    def policies(level: list[dict[str, Any]] | Unread) -> tuple[PolicyText | Unread, ...]:
        found = (level,) if isinstance(level, Unread) else tuple(texts[each["Id"]] for each in level)
        always = (_RCP_FULL_ACCESS,) if kind == "RESOURCE_CONTROL_POLICY" and _RCP_FULL_ACCESS not in found else ()
        return (*always, *found)

    return ControlPolicies(tuple(map(policies, levels)), organization.management_account)


def _ask(
    reader: Reader, viewer: str, region: str, permission: str, request: Callable[[OrganizationsClient], T]
) -> T | Unread | None:
    """Make one read in the account `viewer`. The reason of a failure names that account."""
    answer = reader.call(permission, account=viewer, region=region, request=request)
    if not isinstance(answer, Unread):
        return answer
    steps = [
        replace(step, account=step.account or viewer) if isinstance(step, Refusal) else step
        for step in steps_of(answer.reason)
    ]
    return Unread(Reason(f"in account {viewer}: {answer.reason}", *steps))


def _is_enabled(reader: Reader, place: AccountPlace, region: str, kind: ControlPolicyType) -> bool | Unread:
    """Return whether this kind of policy is enabled in the root. If not, none is attached anywhere.

    Source: AWS Organizations API reference, "PolicyTypeSummary"; User Guide, "Disabling a policy type".
    """

    def request(client: OrganizationsClient) -> str | None:
        roots = {root["Id"]: root for root in pages(client, "list_roots", "Roots")}
        types = roots[place.path[0]].get("PolicyTypes", [])
        return next((each.get("Status") for each in types if each["Type"] == kind), None)

    status = _ask(reader, place.viewer, region, "organizations:ListRoots", request)
    if status is None or isinstance(status, Unread):
        return status or False
    if status == "ENABLED":
        return True
    return Unread(
        Reason(f"policies of type {kind} are being enabled or disabled in the organization ({status})", AGAIN)
    )


def _read_policy(reader: Reader, viewer: str, region: str, summary: dict[str, Any]) -> PolicyText | Unread:
    def request(client: OrganizationsClient) -> str:
        return client.describe_policy(PolicyId=summary["Id"])["Policy"]["Content"]

    content = _ask(reader, viewer, region, "organizations:DescribePolicy", request)
    if isinstance(content, Unread):
        return content
    try:
        parsed = json.loads(content or "")
    except ValueError as error:
        return Unread(_not_a_policy(summary, f"is not JSON: {error}"))
    if not isinstance(parsed, dict):
        return Unread(_not_a_policy(summary, "is not a JSON object"))
    return PolicyText(name=summary.get("Name", summary["Id"]), arn=summary.get("Arn", summary["Id"]), document=parsed)


def _not_a_policy(summary: dict[str, Any], what: str) -> Reason:
    name = f"policy {summary.get('Arn', summary['Id'])}"
    return Reason(f"{name} {what}", f"Open {name} in the AWS Organizations console and correct it.")
