"""The condition keys of a real pull: what is known of it, what AWS surely leaves out, and what stays unknown.

Sources: IAM User Guide, "AWS global condition context keys"; Service Authorization Reference, "Amazon ECR" and
"Amazon EC2"; AWS Security Blog, "How to use policies to restrict where EC2 instance credentials can be used from".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pull_responder.authorization.request import UNKNOWN, Caller, CallerKind, ContextValue

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

ABSENT: Final[tuple[()]] = ()
"""Said of a key: the request surely lacks it, which is not the same as not knowing it."""

Fact = str | tuple[str, ...] | None
"""A key's value, ABSENT, or None where it is not known."""

TOKEN_ISSUE_TIME: Final = "aws:TokenIssueTime"  # noqa: S105 -- a condition key, not a secret

_NEVER_ON_PULLS: Final = (
    # Only calls by AWS services have these.
    "aws:PrincipalServiceName",
    "aws:PrincipalServiceNamesList",
    "aws:SourceAccount",
    "aws:SourceArn",
    "aws:SourceOrgID",
    "aws:SourceOrgPaths",
    # Only calls that set tags have these, which a pull does not.
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
    vpc_id: Fact = None,
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
    """Return the context of one request of a pull, for Request. None always means unknown, ABSENT known to lack.

    `principal` signs the request, `role_arn` is its role's own ARN, path included. `principal_tags` are the role's
    and the session's tags, `resource_tags` the repository's; an empty mapping means that there are none.
    `principal_org_id` and `resource_org_id` are organization ids (`o-…`), ABSENT for an account in none; the paths
    are those of aws:PrincipalOrgPaths.

    `endpoint_id` is the interface endpoint on the request's way, ABSENT where it goes over the internet, and `vpc_id`
    that endpoint's VPC. `source_ip` is the public address; CloudTrail's is AWS's own on pulls, so do not take that.
    `via_aws_service` is False for ecr:GetAuthorizationToken, which the node calls itself; of the requests that the
    registry makes for the node, AWS does not say.

    `instance_arn`, `instance_vpc_id`, `instance_private_ip` (primary IPv4) and `role_delivery` (CloudTrail's
    ec2RoleDelivery, "1.0" or "2.0") describe the EC2 instance whose role signs; ABSENT for Fargate. `token_issue_time`
    is when the credentials of its session were issued.
    Every other key of `aws:` and `ecr:` is unknown; keys of other services are absent.

    Raises RequestError when `principal` is no principal or `role_arn` another role's.
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
        "aws:VpcSourceIp": _fact(ABSENT if over_internet else vpc_source_ip),
        # AWS leaves aws:SourceIp out of requests that come through an endpoint.
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
    """A role's ARN, path included, also for its sessions; for all others the ARN that signs."""
    if caller.kind is CallerKind.SESSION:
        return role_arn or UNKNOWN
    return ABSENT if caller.kind is CallerKind.SERVICE else principal
