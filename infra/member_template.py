"""Writes the template of an organization's members: `python -m infra.member_template infra/permissions.json`.

It is a plain template, without assets and transforms, as a StackSet with service-managed permissions needs it.
docs/organization.md says how it is deployed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from infra import permissions
from infra.member_resources import CLUSTERS, resources
from infra.yaml_text import yaml_lines

if TYPE_CHECKING:
    from collections.abc import Iterable

_HEAD: Final = """\
AWSTemplateFormatVersion: "2010-09-09"
Description: >-
  Forwards events of this account and region to Pull Responder in another account or region of the organization, and
  lets it read here why a pod cannot pull its image. docs/organization.md of Pull Responder says how to deploy it.

Parameters:
  HubAccount:
    Type: String
    Description: The account of the stack PullResponder
    AllowedPattern: "[0-9]{12}"
  HubRegion:
    Type: String
    Description: The region of the stack PullResponder
    AllowedPattern: "[a-z]+(-[a-z]+)+-[0-9]+"
  OrganizationId:
    Type: String
    Description: The setting organizationId of Pull Responder
    AllowedPattern: o-[a-z0-9]{10,32}
  RolesRegion:
    Type: String
    Description: >-
      The one region in which the roles for reading and for importing findings are made. They are for all regions. It
      has to be one of the StackSet's.
    AllowedPattern: "[a-z]+(-[a-z]+)+-[0-9]+"
  FindingsIn:
    Type: String
    Description: >-
      The setting findingsIn of Pull Responder. Only with "member" there is a role for importing findings. So leave it
      until no finding is open in members, where the setting becomes "hub" again.
    AllowedValues: [hub, member]
    Default: hub
  ReadRoleName:
    Type: String
    Description: The setting memberRoleName of Pull Responder
    Default: PullResponderReadOnly
  ImportRoleName:
    Type: String
    Description: The setting importRoleName of Pull Responder
    Default: PullResponderImportFindings
  PermissionsBoundary:
    Type: String
    Description: The name of the managed policy, in each account, that is the boundary of every role; empty for none
    Default: ""
  ForwardedEventSource:
    Type: String
    Description: The setting forwardedEventSource of Pull Responder; empty for none
    AllowedPattern: "[A-Za-z0-9._/-]{0,256}"
    Default: ""
  AuditLogs:
    Type: String
    Description: '"on" if the setting memberAuditLogs of Pull Responder is true'
    AllowedValues: ["off", "on"]
    Default: "off"
"""
_CLUSTER: Final = """\
  {name}:
    Type: String
    Description: An EKS cluster of this account and region whose audit log is sent; empty for none
    AllowedPattern: "([0-9A-Za-z][A-Za-z0-9_-]{{0,99}})?"
    Default: ""
"""
_CONDITIONS: Final = """
Conditions:
  # The default bus of the hub's own account and region has its rules already.
  Elsewhere: !Not [!And [!Equals [!Ref HubAccount, !Ref AWS::AccountId], !Equals [!Ref HubRegion, !Ref AWS::Region]]]
  HasRoles: !Equals [!Ref RolesRegion, !Ref AWS::Region]
  HasImportRole: !And [!Condition HasRoles, !Equals [!Ref FindingsIn, member]]
  HasBoundary: !Not [!Equals [!Ref PermissionsBoundary, ""]]
  HasForwarder: !And [!Condition Elsewhere, !Not [!Equals [!Ref ForwardedEventSource, ""]]]
  HasAuditLogs: !And [!Condition Elsewhere, !Equals [!Ref AuditLogs, "on"]]
  # A destination is for other accounts than its own: CloudWatch Logs API reference, PutSubscriptionFilter.
  HasDestination: !And [!Condition HasAuditLogs, !Equals [!Ref HubAccount, !Ref AWS::AccountId]]
  SendsAuditLogs: !And [!Condition HasAuditLogs, !Not [!Equals [!Ref HubAccount, !Ref AWS::AccountId]]]
"""
_SENDS: Final = '  Sends{name}: !And [!Condition SendsAuditLogs, !Not [!Equals [!Ref {name}, ""]]]\n'


def template(declared: Path = permissions.PERMISSIONS_FILE) -> str:
    """Return the template as YAML, for what `declared` says that the functions do in other accounts.

    Raises PermissionsError for a file that says nothing, and for a declared action without a scope.
    """
    return "".join(
        [
            _HEAD,
            *(_CLUSTER.format(name=each) for each in CLUSTERS),
            _CONDITIONS,
            *(_SENDS.format(name=each) for each in CLUSTERS),
            *_lines("Resources", resources(declared)),
        ]
    )


def _lines(section: str, content: dict[str, object]) -> Iterable[str]:
    yield f"\n{section}:\n"
    for number, (name, value) in enumerate(content.items()):
        yield "\n" if number else ""
        yield from (f"{line}\n" for line in yaml_lines({name: value}, 2))


if __name__ == "__main__":
    try:
        sys.stdout.write(template(Path(sys.argv[1])))
    except permissions.PermissionsError as unusable:
        sys.exit(str(unusable))
