"""The commands that set up an organization's members, as a stack shows them when it has been deployed."""

from __future__ import annotations

from typing import Final

from infra.settings import Settings

STACK_SET: Final = "PullResponderMembers"


def stack_set_command(settings: Settings, *, account: str, region: str) -> str:
    """Return the command that makes the StackSet of the template of members, for the hub in this account and region.

    It is for a delegated administrator of StackSets; in the management account, `--call-as SELF`.
    """
    parameters = {
        "HubAccount": account,
        "HubRegion": region,
        "OrganizationId": settings.organization_id,
        "RolesRegion": region,
        "FindingsIn": settings.findings_in,
        "ReadRoleName": settings.member_role_name,
        "ImportRoleName": settings.import_role_name,
        "PermissionsBoundary": _own_policy(settings.permissions_boundary_arn or ""),
        "ForwardedEventSource": settings.forwarded_event_source or "",
        "AuditLogs": "on" if settings.member_audit_logs else "off",
    }
    values = " ".join(f"ParameterKey={key},ParameterValue={value}" for key, value in parameters.items() if value)
    return (
        f"aws cloudformation create-stack-set --stack-set-name {STACK_SET} --template-body file://infra/member.yaml"
        " --permission-model SERVICE_MANAGED --auto-deployment Enabled=true,RetainStacksOnAccountRemoval=false"
        " --managed-execution Active=true --capabilities CAPABILITY_NAMED_IAM --call-as DELEGATED_ADMIN"
        f" --region {region} --parameters {values}"
    )


def _own_policy(arn: str) -> str:
    """Return the name of a managed policy with its path; empty for one of AWS, which the template cannot name."""
    owner, _, name = arn.partition(":policy/")
    return "" if owner.endswith(":aws") else name


def stack_instances_command(settings: Settings, *, region: str) -> str:
    """Return the command that deploys the StackSet to organizational units, which are to be filled in.

    So are the regions, where the settings do not name them.

    No region needs another, and one account that fails does not keep the others from being deployed.
    """
    others = " ".join(each for each in settings.member_regions if each != region) or "OTHER-REGIONS"
    return (
        f"aws cloudformation create-stack-instances --stack-set-name {STACK_SET}"
        f" --deployment-targets OrganizationalUnitIds=ROOT-OR-OU --regions {region} {others}"
        " --operation-preferences"
        " RegionConcurrencyType=PARALLEL,MaxConcurrentPercentage=100,FailureTolerancePercentage=100"
        f" --call-as DELEGATED_ADMIN --region {region}"
    )
