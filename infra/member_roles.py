"""The roles that an organization's hub assumes in the members: one for reading, one for importing findings.

They trust the hub's roles by name and organization, not by their ARNs as principals: IAM keeps the id of such a
principal, and the role's id is another when the hub is deployed anew (IAM User Guide, "AWS JSON policy elements:
Principal").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from infra import permissions
from infra.organization import function_role_name
from infra.yaml_text import Raw

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

# A finding's workflow status, which people set in Security Hub, is read in the account that has the finding.
_WORKFLOW: Final = "securityhub:GetFindings"
_IMPORT: Final = ("securityhub:BatchImportFindings", "securityhub:BatchUpdateFindings")
_HERE: Final = {
    "partition": "${AWS::Partition}",
    "account": "${AWS::AccountId}",
    # Roles are for all regions.
    "region": "*",
    "topic": "",
    "member_role": "",
}
BOUNDARY: Final = Raw(
    "!If [HasBoundary, !Sub 'arn:${AWS::Partition}:iam::${AWS::AccountId}:policy/${PermissionsBoundary}',"
    " !Ref AWS::NoValue]"
)


def member_roles(declared: Path) -> dict[str, object]:
    """Return the roles by their logical ids. `declared` is the file of what the functions do.

    Every function of the hub may read: that is what `*` in the name stands for. The two that have findings may import.
    Raises PermissionsError for a file that says nothing, and for a declared action without a scope.
    """
    read = {each for name in ("diagnose", "recheck") for each in permissions.read_declared(name, declared)["read"]}
    return {
        "ReadRole": _role(
            "HasRoles",
            name="ReadRoleName",
            description="Read by Pull Responder to find out why an image cannot be pulled",
            trusted=["*"],
            policy="read",
            statements=_allow([*read, _WORKFLOW]),
        ),
        "ImportRole": _role(
            "HasImportRole",
            name="ImportRoleName",
            description="Imports Pull Responder's findings into Security Hub",
            trusted=["diagnose", "recheck"],
            policy="import",
            statements=[*_allow(_IMPORT), *_limits()],
        ),
    }


def _role(  # noqa: PLR0913 -- keyword-only, except for the first
    condition: str, *, name: str, description: str, trusted: list[str], policy: str, statements: list[dict[str, object]]
) -> dict[str, object]:
    roles = [
        Raw(f"!Sub arn:${{AWS::Partition}}:iam::${{HubAccount}}:role/{function_role_name(each, '${HubRegion}')}")
        for each in trusted
    ]
    trust = {
        "Effect": "Allow",
        "Principal": {"AWS": Raw("!Sub arn:${AWS::Partition}:iam::${HubAccount}:root")},
        "Action": "sts:AssumeRole",
        "Condition": {
            "ArnLike": {"aws:PrincipalArn": roles},
            "StringEquals": {"aws:PrincipalOrgID": Raw("!Ref OrganizationId")},
        },
    }
    return {
        "Type": "AWS::IAM::Role",
        "Condition": condition,
        "Properties": {
            "RoleName": Raw(f"!Ref {name}"),
            "Description": description,
            "PermissionsBoundary": BOUNDARY,
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
            "Policies": [{"PolicyName": policy, "PolicyDocument": {"Version": "2012-10-17", "Statement": statements}}],
        },
    }


def _allow(actions: Iterable[str]) -> list[dict[str, object]]:
    return [
        {"Effect": "Allow", "Action": list(grant.actions), "Resource": [_resource(each) for each in grant.resources]}
        for grant in permissions.grants(actions, **_HERE)
    ]


def _limits() -> list[dict[str, object]]:
    """Return the statements that deny what belongs to people in a finding."""
    return [
        {
            "Effect": "Deny",
            "Action": denial.action,
            "Resource": [_resource(each) for each in denial.resources],
            "Condition": denial.conditions,
        }
        for denial in permissions.denials(_IMPORT, **_HERE)
    ]


def _resource(resource: str) -> str:
    return Raw(f"!Sub {resource}") if "${" in resource else resource
