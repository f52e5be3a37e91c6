"""Writes the template of the role in other accounts: `python -m infra.member_role infra/permissions.json`.

It is a plain template, so that another account needs neither this project nor CDK.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

from infra import permissions

_TEMPLATE: Final = """\
AWSTemplateFormatVersion: "2010-09-09"
Description: Lets Pull Responder read in this account why a pod cannot pull its image. Deploy it in one region only.

Parameters:
  ResponderRoleArns:
    Type: CommaDelimitedList
    Description: >-
      The outputs ResponderRoleArns of all stacks of Pull Responder that read this account, joined by commas: a stack
      that is left out loses its trust. If one is in another organization, or in none, its setting readAccounts must
      list this account.
    AllowedPattern: arn:[a-z-]+:iam::[0-9]{12}:role/.+
  RoleName:
    Type: String
    Description: The setting memberRoleName of Pull Responder
    Default: PullResponderReadOnly

Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      RoleName: !Ref RoleName
      Description: Read by Pull Responder to find out why an image cannot be pulled
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal:
              AWS: !Ref ResponderRoleArns
            Action: sts:AssumeRole
      Policies:
        # What permissions.json declares under "read", each on the resources that permissions.py gives it.
        - PolicyName: read
          PolicyDocument:
            Version: "2012-10-17"
            Statement:
"""

_OUTPUTS: Final = """\

Outputs:
  RoleArn:
    Description: The role that Pull Responder reads this account with
    Value: !GetAtt Role.Arn
"""


def template(declared: Path = permissions.PERMISSIONS_FILE) -> str:
    """Return the template as YAML, for what `declared` says that the function reads.

    Raises PermissionsError for a file that says nothing, and for a declared action without a scope.
    """
    lines = []
    for grant in permissions.grants(
        permissions.read_declared("diagnose", declared)["read"],
        partition="${AWS::Partition}",
        account="${AWS::AccountId}",
        region="${AWS::Region}",
        topic="",
        member_role="",
    ):
        lines += ["- Effect: Allow", "  Action:", *(f"    - {action}" for action in grant.actions), "  Resource:"]
        lines += [f"    - {_resource(resource)}" for resource in grant.resources]
    return _TEMPLATE + "".join(f"{' ' * 14}{line}\n" for line in lines) + _OUTPUTS


def _resource(resource: str) -> str:
    return f"!Sub {resource}" if "${" in resource else '"*"'


if __name__ == "__main__":
    try:
        sys.stdout.write(template(Path(sys.argv[1])))
    except permissions.PermissionsError as unusable:
        sys.exit(str(unusable))
