"""The condition keys of a real pull: the known values, the keys AWS never sends, and the keys that stay unknown.

Sources: IAM User Guide, "AWS global condition context keys"; Service Authorization Reference, "Amazon ECR" and
"Amazon EC2"; AWS Security Blog, "How to use policies to restrict where EC2 instance credentials can be used from".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.authorization.partly_known import PartlyKnown
from pull_responder.authorization.request import UNKNOWN, Caller, CallerKind, ContextValue

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

ABSENT: Final[tuple[()]] = ()
"""The request certainly lacks the key. An unknown key is None instead."""

Fact = str | tuple[str, ...] | PartlyKnown | None
"""A key's value; ABSENT if the request certainly lacks the key; None if it is not known."""

TOKEN_ISSUE_TIME: Final = "aws:TokenIssueTime"  # noqa: S105 -- a condition key, not a secret

_NEVER_ON_PULLS: Final = (
    # Only calls by AWS services send these.
    "aws:PrincipalServiceName",
    "aws:PrincipalServiceNamesList",
    "aws:SourceAccount",
    "aws:SourceArn",
    "aws:SourceOrgID",
    "aws:SourceOrgPaths",
    # Only calls that set tags send these. A pull sets none.
    "aws:RequestTag/*",
    "aws:TagKeys",
)
_PRINCIPAL_TYPES: Final = {
    CallerKind.SESSION: "AssumedRole",
    CallerKind.ROLE: "AssumedRole",
    CallerKind.USER: "User",
    CallerKind.ROOT: "Account",
    CallerKind.FEDERATED_USER: "FederatedUser",
}


def pull_context(  # noqa: PLR0913 -- each fact of a pull is one keyword
    *,
    principal: str,
    role_arn: str | None = None,
    principal_tags: Mapping[str, str] | None = None,
    principal_org_id: Fact = None,
    principal_org_paths: Fact = None,
    registry_account: str | None = None,
    resource_org_id: Fact = None,
    resource_org_paths: Fact = None,
    resource_tags: Mapping[str, str] | None = None,
    region: str | None = None,
    endpoint_id: Fact = None,
    endpoint_account: Fact = None,
    endpoint_org_id: Fact = None,
    endpoint_org_paths: Fact = None,
    vpc_id: Fact = None,
    vpc_arn: Fact = None,
    source_ip: Fact = None,
    vpc_source_ip: Fact = None,
    via_aws_service: bool | None = None,
    instance_arn: Fact = None,
    instance_vpc_id: Fact = None,
    instance_private_ip: Fact = None,
    role_delivery: Fact = None,
    current_time: datetime | None = None,
    token_issue_time: datetime | None = None,
) -> dict[str, ContextValue]:
    """Return the context of one request of a pull, for Request. None always means unknown, ABSENT certainly absent.

    - `principal`: the ARN that signs the request. `role_arn`: the ARN of its role, path included.
    - `principal_tags`: the tags of the role and the session. `resource_tags`: those of the repository. An empty
      mapping means no tags.
    - `principal_org_id`, `resource_org_id`: organization ids (`o-…`); ABSENT for an account outside any organization.
      `principal_org_paths`, `resource_org_paths`: in the form of aws:PrincipalOrgPaths.
    - `registry_account`, `region`: the account and the region of the registry.
    - `endpoint_id`: the interface endpoint that the request passes; ABSENT if it goes over the internet. `vpc_id`,
      `vpc_arn`: the VPC of that endpoint. `vpc_source_ip`: the node's private address, as the endpoint sees it.
    - `endpoint_account`, `endpoint_org_id`, `endpoint_org_paths`: the account that owns the endpoint, its organization
      and its place in it, as for `principal_org_id`.
    - `source_ip`: the node's public address. Do not take it from CloudTrail, which records an address of AWS on pulls.
    - `via_aws_service`: False for ecr:GetAuthorizationToken, which the node calls itself. The registry makes the other
      requests for the node, and AWS does not document the value for them.
    - `instance_arn`, `instance_vpc_id`, `instance_private_ip` (primary IPv4): the EC2 instance whose role signs; ABSENT
      for Fargate. `role_delivery`: CloudTrail's ec2RoleDelivery of it, "1.0" or "2.0".
    - `current_time`: the time of the request. `token_issue_time`: when the session's credentials were issued.

    Every other key of `aws:` and `ecr:` is unknown. Keys of other services are absent.

    Raises RequestError if `principal` is not a principal, or `role_arn` is not the ARN of its role.
    """
    caller = Caller.parse(principal, role_arn)
    over_internet = endpoint_id == ABSENT
    context: dict[str, ContextValue] = {
        "aws:*": UNKNOWN,
        "ecr:*": UNKNOWN,
        **dict.fromkeys(_NEVER_ON_PULLS, ABSENT),
        "aws:PrincipalArn": _principal_arn(caller, principal, role_arn),
        "aws:PrincipalAccount": caller.account or ABSENT,
        "aws:PrincipalType": _PRINCIPAL_TYPES.get(caller.kind, UNKNOWN),
        "aws:PrincipalIsAWSService": "true" if caller.kind is CallerKind.SERVICE else "false",
        "aws:PrincipalOrgID": _fact(principal_org_id),
        "aws:PrincipalOrgPaths": _fact(ABSENT if principal_org_id == ABSENT else principal_org_paths),
        "aws:ResourceAccount": _fact(registry_account),
        "aws:ResourceOrgID": _fact(resource_org_id),
        "aws:ResourceOrgPaths": _fact(ABSENT if resource_org_id == ABSENT else resource_org_paths),
        "aws:RequestedRegion": _fact(region),
        "aws:SecureTransport": "true",
        "aws:SourceVpce": _fact(endpoint_id),
        "aws:SourceVpc": _fact(ABSENT if over_internet else vpc_id),
        "aws:SourceVpcArn": _fact(vpc_arn),
        "aws:VpceAccount": _fact(endpoint_account),
        "aws:VpceOrgID": _fact(endpoint_org_id),
        "aws:VpceOrgPaths": _fact(ABSENT if endpoint_org_id == ABSENT else endpoint_org_paths),
        "aws:VpcSourceIp": _fact(ABSENT if over_internet else vpc_source_ip),
        # AWS omits aws:SourceIp from requests that come through an endpoint.
        "aws:SourceIp": _fact(source_ip if over_internet or endpoint_id is None else ABSENT),
        "aws:ViaAWSService": UNKNOWN if via_aws_service is None else str(via_aws_service).lower(),
        "ec2:SourceInstanceARN": _fact(instance_arn),
        "aws:Ec2InstanceSourceVpc": _fact(instance_vpc_id),
        "aws:Ec2InstanceSourcePrivateIPv4": _fact(instance_private_ip),
        "ec2:RoleDelivery": _fact(role_delivery),
        TOKEN_ISSUE_TIME: UNKNOWN if token_issue_time is None else token_issue_time.isoformat(),
    }
    if caller.kind is not CallerKind.USER:
        context["aws:username"] = ABSENT
    if via_aws_service is False:
        context |= dict.fromkeys(("aws:CalledVia", "aws:CalledViaFirst", "aws:CalledViaLast"), ABSENT)
    if current_time is not None:
        context["aws:CurrentTime"] = current_time.isoformat()
        context["aws:EpochTime"] = str(int(current_time.timestamp()))
    context |= _tags("aws:PrincipalTag/", principal_tags)
    context |= _tags("aws:ResourceTag/", resource_tags)
    context |= _tags("ecr:ResourceTag/", resource_tags)
    return context


def _fact(value: Fact) -> ContextValue:
    return UNKNOWN if value is None else value


def _tags(family: str, tags: Mapping[str, str] | None) -> dict[str, ContextValue]:
    if tags is None:
        return {f"{family}*": UNKNOWN}
    return {f"{family}*": ABSENT, **{family + key: value for key, value in tags.items()}}


def _principal_arn(caller: Caller, principal: str, role_arn: str | None) -> ContextValue:
    """Return aws:PrincipalArn: for a role and its sessions the role's ARN with its path, else the ARN that signs."""
    if caller.kind is CallerKind.SESSION:
        return role_arn or UNKNOWN
    return ABSENT if caller.kind is CallerKind.SERVICE else principal
