"""The examples in docs/notifications.md and docs/notification-examples.md.

They are what the publisher makes of made-up findings. In a page each stands between
`<!-- example: NAME -->` and `<!-- end of example -->`.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pull_responder.checks import (
    no_route_to_ecr,
    permissions_boundary_blocks_pull,
    role_lacks_pull_permissions,
    scp_blocks_pull,
)
from pull_responder.findings.alert import Alert
from pull_responder.findings.clock import minute
from pull_responder.findings.deed import Deed
from pull_responder.findings.finding import Finding, finding_id
from pull_responder.findings.flapping import flapping_words
from pull_responder.findings.notice import IT_GREW, Edge, Notice
from pull_responder.findings.problem import seconds_of
from pull_responder.findings.reach import Reach
from pull_responder.generate.error import GenerateError
from pull_responder.model.arn import Arn
from pull_responder.model.pull import Principal, PrincipalKind, PullFailure, Stage, Symptom
from pull_responder.model.quoting import quote_json
from pull_responder.model.verdict import Remediation, Resource, Severity
from pull_responder.publish.notification import alert_notification, digest_notification
from pull_responder.publish.style import Style
from pull_responder.publish.trial import trial_notification
from pull_responder.remediation.by_hand import exempt_all, exempt_all_in_short
from pull_responder.remediation.iam import ManagedPolicy, widen_boundary
from pull_responder.remediation.naming import the_deny

if TYPE_CHECKING:
    from pull_responder.checks.check import Check
    from pull_responder.publish.notification import Notification

PAGES: Final = ("docs/notifications.md", "docs/notification-examples.md")
"""The pages with examples."""

ACCOUNT: Final = "111111111111"
REGION: Final = "eu-west-1"
ROLE: Final = f"arn:aws:iam::{ACCOUNT}:role/eks/prod-node"
_SUBNET: Final = f"arn:aws:ec2:{REGION}:{ACCOUNT}:subnet/subnet-0a1b2c3d4e5f60718"
_POLICY: Final = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly"
_GUARD: Final = f"arn:aws:iam::{ACCOUNT}:policy/guard"
_STOPPED: Final = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
_OTHER: Final = "problem/0d5f7a3c9b1e4862a7c4e8f10b3d6952"
_PROBLEM: Final = "problem/6f1d1c0b8a7e4f5d9c3b2a1908f7e6d5"
_STYLE: Final = Style(runbook_url="https://wiki.example.com/pulls/{cause}")
_FIX: Final = Deed(
    "AttachRolePolicy",
    f"arn:aws:sts::{ACCOUNT}:assumed-role/admin/jo",
    at="2026-11-23T01:19:10Z",
    event_id="b1f2c3d4-0000-4000-8000-000000000001",
    policy="AmazonEC2ContainerRegistryPullOnly",
)
_BREAK: Final = Deed(
    "DetachRolePolicy",
    f"arn:aws:sts::{ACCOUNT}:assumed-role/admin/sam",
    at="2026-11-23T00:58:31Z",
    event_id="b1f2c3d4-0000-4000-8000-000000000002",
    policy="AmazonEC2ContainerRegistryPullOnly",
)
_BREAK_AGAIN: Final = replace(
    _BREAK,
    by=f"arn:aws:sts::{ACCOUNT}:assumed-role/terraform/ci",
    at="2026-11-23T01:40:20Z",
    event_id="b1f2c3d4-0000-4000-8000-000000000003",
)
_MANAGEMENT: Final = "999999999999"
_CONTROL_POLICY: Final = f"arn:aws:organizations::{_MANAGEMENT}:policy/o-0a1b2c3d4e/service_control_policy/p-0a1b2c3d"
_TEST: Final = "9f2c4b7a1d3e5f60718293a4b5c6d7e8"
_TESTED_AT: Final = 1_795_395_852.0  # 2026-11-23T01:04:12Z
_STATEMENT: Final = {"Sid": "NoRegistries", "Effect": "Deny", "Action": "ecr:*", "Resource": "*"}
ATTACH_POLICY: Final = ("aws", "iam", "attach-role-policy", "--role-name", "prod-node", "--policy-arn", _POLICY)
PRINCIPAL: Final = Principal(
    kind=PrincipalKind.ROLE,
    arn=f"arn:aws:sts::{ACCOUNT}:assumed-role/prod-node/i-0a1b2c3d4e5f60718",
    partition="aws",
    account=ACCOUNT,
    name="prod-node",
    session_name="i-0a1b2c3d4e5f60718",
    role_arn=ROLE,
)
PULL: Final = PullFailure(
    symptom=Symptom.ACCESS_DENIED,
    stage=Stage.MANIFEST,
    region=REGION,
    account=ACCOUNT,
    principal=PRINCIPAL,
    registry_account="222222222222",
    repository="payments/api",
    tag="1.4.2",
    cluster="prod",
    node="ip-10-0-3-17.eu-west-1.compute.internal",
    namespace="payments",
    pod="api-7d4b9c5f6-x2x7q",
    observed_at="2026-11-23T01:04:10Z",
)

_EXAMPLE: Final = re.compile(r"(?<=<!-- example: )(?P<name>[a-z-]+) -->\n.*?(?=<!-- end of example -->)", re.DOTALL)


def update_page(page: str, *, name: str = "docs/notifications.md") -> str:
    """Return `page` with its examples as the publisher writes them today. Raises GenerateError for an unknown one.

    `name` is the page's own, for the error.
    """
    examples = _examples()
    if unknown := sorted({match["name"] for match in _EXAMPLE.finditer(page)} - examples.keys()):
        raise GenerateError(f"{name}: no example is named {', '.join(unknown)}; there are {', '.join(examples)}")
    return _EXAMPLE.sub(lambda match: f"{match['name']} -->\n{examples[match['name']]}", page)


def _examples() -> dict[str, str]:
    alert, boundary = _alert(), _alert_of_boundary()
    resolved = replace(
        alert,
        edge=Edge.RESOLVED,
        at="2026-11-23T01:20:00Z",
        because="The role's policies allow the pull again since 2026-11-23 01:19 UTC; it was broken for 19 minutes; "
        f"{_FIX.words}.",
        fixed_by=(_FIX,),
        reach=replace(alert.reach, events=96, last_seen_at="2026-11-23T01:18:40Z"),
    )
    boundary_left = Alert(_PROBLEM, (resolved,), others=(boundary.finding,), reach=alert.reach)
    notifications = {
        "alert": _alone(alert),
        "causes": alert_notification(Alert(_PROBLEM, (alert, boundary), reach=alert.reach), _STYLE),
        "worse": _alone(_worse(alert)),
        "back": _alone(_back(alert, resolved)),
        "flapping": _alone(_flapping(alert, resolved)),
        "reminder": _alone(_still_open(alert)),
        "resolved": alert_notification(boundary_left, _STYLE),
        "ended": _alone(resolved),
        "digest": digest_notification(
            [replace(alert, problem=_PROBLEM), replace(_alert_of_subnet(), problem=_OTHER)], _STYLE
        ),
        "over": digest_notification(_resolved_together(resolved, boundary.finding), _STYLE),
        "policy": _alone(_alert_of_organization_policy()),
        "test": trial_notification(_TEST, account=ACCOUNT, region=REGION, at=_TESTED_AT),
    }
    forms = {"email": _mail, "document": _document, "chat": _chat, "sms": _text_message, "attributes": _attributes}
    return {
        f"{name}-{form}": write(notification)
        for name, notification in notifications.items()
        for form, write in forms.items()
    }


def _resolved_together(resolved: Notice, boundary: Finding) -> list[Notice]:
    """Return what a digest tells when two roles got their policies back and a boundary still stops one of them."""
    role = ROLE.replace("prod", "batch")
    finding, fix = resolved.finding, resolved.finding.remediation
    fix = replace(
        fix,
        summary=fix.summary.replace("prod-node", "batch-node"),
        short=fix.short.replace("prod-node", "batch-node"),
        commands=tuple(tuple(word.replace("prod-", "batch-") for word in each) for each in fix.commands),
    )
    principal = replace(
        PRINCIPAL, arn=PRINCIPAL.arn.replace("prod-", "batch-"), name="batch-node", role_arn=role, session_name=None
    )
    batch = replace(
        resolved,
        finding=replace(
            finding,
            id=finding_id(cause=finding.cause, account=ACCOUNT, region=REGION, resource=role),
            resource=replace(finding.resource, id=role),
            explanation=finding.explanation.replace(ROLE, role),
            evidence=tuple(each.replace(ROLE, role) for each in finding.evidence),
            remediation=fix,
            pull=replace(finding.pull, principal=principal, pod="batch-6c9f7d8b5-q4w2z"),
        ),
        reach=replace(
            resolved.reach,
            events=9,
            pods=("payments/batch-6c9f7d8b5-q4w2z",),
            pod_count=1,
            nodes=(),
            node_count=0,
            principals=(f"{ACCOUNT}/batch-node",),
        ),
        problem=_OTHER,
        is_over=True,
        over=(_OTHER,),
    )
    return [replace(resolved, problem=_PROBLEM, others=(boundary,)), batch]


def _alone(notice: Notice) -> Notification:
    over = (_PROBLEM,) if notice.edge is Edge.RESOLVED else ()
    return alert_notification(Alert(_PROBLEM, (notice,), reach=notice.reach, over=over), _STYLE)


def _mail(notification: Notification) -> str:
    return f"```\nSubject: {notification.subject}\n\n{notification.texts['email']}```\n"


def _document(notification: Notification) -> str:
    return _json(json.loads(notification.texts["default"]))


def _chat(notification: Notification) -> str:
    return _json(json.loads(notification.texts["https"]))


def _text_message(notification: Notification) -> str:
    return f"```\n{notification.texts['sms']}\n```\n"


def _attributes(notification: Notification) -> str:
    return _json(notification.attributes)


def _json(value: object) -> str:
    return f"```json\n{json.dumps(value, indent=2, ensure_ascii=False)}\n```\n"


def _alert() -> Notice:
    fix = Remediation(
        summary="Attach the AWS managed policy AmazonEC2ContainerRegistryPullOnly to the role prod-node.",
        account=ACCOUNT,
        region=REGION,
        docs_url=role_lacks_pull_permissions.CHECK.docs_url,
        commands=(ATTACH_POLICY,),
        short="Attach AmazonEC2ContainerRegistryPullOnly to role prod-node.",
    )
    finding = _finding(
        role_lacks_pull_permissions.CHECK,
        Resource("AwsIamRole", ROLE, ACCOUNT),
        f"No identity policy of the role {ROLE} allows ecr:BatchGetImage, so ECR refuses the pull.",
        (f"No statement of the identity policies of {ROLE} (which has none) allows ecr:BatchGetImage.",),
        fix,
    )
    reach = Reach(
        events=37,
        first_seen_at="2026-11-23T01:00:00Z",
        last_seen_at="2026-11-23T01:04:10Z",
        pods=("payments/api-7d4b9c5f6-x2x7q", "payments/api-7d4b9c5f6-k8s2d", "payments/web-0"),
        pod_count=12,
        nodes=("ip-10-0-3-17.eu-west-1.compute.internal", "ip-10-0-4-92.eu-west-1.compute.internal"),
        node_count=2,
        repository_count=1,
        principals=(f"{ACCOUNT}/prod-node",),
        principal_count=1,
        clusters=("prod",),
        cluster_count=1,
    )
    return Notice(
        Edge.NEW,
        finding,
        reach,
        at="2026-11-23T01:04:12Z",
        opened_at="2026-11-23T01:04:12Z",
        since="2026-11-23T01:00:00Z",
    )


def _worse(alert: Notice) -> Notice:
    reach = replace(alert.reach, events=412, last_seen_at="2026-11-23T02:31:00Z", pod_count=240, node_count=104)
    finding = replace(alert.finding, severity=Severity.CRITICAL)
    because = f"{IT_GREW} from HIGH to CRITICAL, from 12 to 240 pods, from 2 to 104 nodes."
    return replace(
        alert,
        edge=Edge.WORSE,
        finding=finding,
        reach=reach,
        at="2026-11-23T02:31:04Z",
        because=because,
        broken_by=_BREAK,
    )


def _still_open(alert: Notice) -> Notice:
    reach = replace(alert.reach, events=4_380, last_seen_at="2026-11-24T01:03:20Z")
    return replace(alert, edge=Edge.REMINDER, at="2026-11-24T01:04:12Z", reach=reach)


def _back(alert: Notice, resolved: Notice) -> Notice:
    again = "2026-11-23T01:41:00Z"
    because = f"It had been resolved at {minute(seconds_of(resolved.at) or 0)}, as found then: {resolved.because}"
    reach = replace(resolved.reach, events=99, last_seen_at="2026-11-23T01:41:50Z")
    back = replace(alert, edge=Edge.BACK, at=again, opened_at=again, since=again, because=because, reach=reach)
    return replace(back, fixed_by=resolved.fixed_by, broken_by=_BREAK_AGAIN)


def _flapping(alert: Notice, resolved: Notice) -> Notice:
    fix = replace(_FIX, at="2026-11-23T02:04:40Z", event_id="b1f2c3d4-0000-4000-8000-000000000004")
    ended = replace(
        resolved,
        at="2026-11-23T02:05:00Z",
        because="The role's policies allow the pull again since 2026-11-23 02:04 UTC; it was broken for 23 minutes; "
        f"{fix.words}.",
        fixed_by=(fix,),
    )
    first, back = _back(alert, resolved), _back(alert, ended)
    again = "2026-11-23T02:20:00Z"
    breaks = [seconds for each in (first.at, again) if (seconds := seconds_of(each)) is not None]
    return replace(
        back,
        at=again,
        opened_at=again,
        since=again,
        because=f"{back.because} {flapping_words(tuple(breaks), minutes=5)}",
        reach=replace(back.reach, events=131, last_seen_at="2026-11-23T02:20:50Z"),
        broken_by=None,
    )


def _alert_of_organization_policy() -> Notice:
    """Return what a policy of the organization gives once it stops many roles: without a command."""
    alert = _alert()
    policy = Arn("aws", "organizations", "", _MANAGEMENT, _CONTROL_POLICY.split(":", 5)[5])
    deny = the_deny({"Statement": [_STATEMENT]}, [0])
    fix = Remediation(
        summary=exempt_all(policy, deny),
        short=exempt_all_in_short(policy, deny),
        account=_MANAGEMENT,
        region=REGION,
        docs_url=scp_blocks_pull.CHECK.docs_url,
        commands=(),
    )
    finding = _finding(
        scp_blocks_pull.CHECK,
        Resource("Other", _CONTROL_POLICY, _MANAGEMENT),
        "The service control policy p-0a1b2c3d denies ecr:BatchGetImage.",
        (f'{_CONTROL_POLICY}, statement "NoRegistries": {quote_json(_STATEMENT)}',),
        fix,
    )
    reach = Reach(
        events=900,
        first_seen_at=alert.reach.first_seen_at,
        last_seen_at=alert.reach.last_seen_at,
        repository_count=40,
        principal_count=100,
        principals=(f"{ACCOUNT}/batch-node", f"{ACCOUNT}/prod-node"),
        clusters=("prod", "shop", "stage", "batch", "dev", "edge", "demo"),
        cluster_count=7,
        cluster_events=(412, 208, 131, 77, 40, 20, 12),
        account_count=12,
    )
    finding = replace(
        finding,
        id=finding_id(cause=finding.cause, account=_MANAGEMENT, region=REGION, resource=_CONTROL_POLICY),
        account=_MANAGEMENT,
        severity=Severity.CRITICAL,
        pull=replace(PULL, node=None, namespace=None, pod=None),
    )
    return replace(alert, finding=finding, reach=reach)


def _alert_of_boundary() -> Notice:
    alert = _alert()
    role, policy = Arn("aws", "iam", "", ACCOUNT, "role/eks/prod-node"), Arn("aws", "iam", "", ACCOUNT, "policy/guard")
    document = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": ["s3:*", "ecr:GetAuthorizationToken", *_STOPPED], "Resource": "*"}],
    }
    boundary = ManagedPolicy(policy, versions=("v1",), default_version="v1")
    fix = widen_boundary(role, boundary, region=REGION, actions=_STOPPED, document=document)
    finding = _finding(
        permissions_boundary_blocks_pull.CHECK,
        Resource("AwsIamRole", ROLE, ACCOUNT),
        f"The permissions boundary {_GUARD} of the role {ROLE} stops {' and '.join(_STOPPED)}.",
        (f"The permissions boundary {_GUARD} allows s3:* and ecr:GetAuthorizationToken only.",),
        fix,
    )
    return replace(alert, finding=finding)


def _alert_of_subnet() -> Notice:
    alert = _alert()
    fix = replace(
        alert.finding.remediation,
        summary="Give the subnet a default route to a NAT gateway, or VPC endpoints for ECR and S3.",
        short="",
        docs_url=no_route_to_ecr.CHECK.docs_url,
        commands=(),
    )
    finding = _finding(
        no_route_to_ecr.CHECK,
        Resource("AwsEc2Subnet", _SUBNET, ACCOUNT),
        "The subnet has no way to the registry.",
        ("Its route table has the local route only.",),
        fix,
    )
    return replace(alert, finding=finding)


def _finding(
    check: Check, resource: Resource, explanation: str, evidence: tuple[str, ...], fix: Remediation
) -> Finding:
    return Finding(
        id=finding_id(cause=check.id, account=ACCOUNT, region=REGION, resource=resource.id),
        cause=check.id,
        title=check.title,
        severity=check.severity,
        account=ACCOUNT,
        region=REGION,
        resource=resource,
        explanation=explanation,
        evidence=evidence,
        remediation=fix,
        pull=PULL,
        cluster="prod",
        first_observed_at="2026-11-23T01:00:00Z",
        last_observed_at="2026-11-23T01:04:10Z",
    )
