"""The examples in docs/notifications.md.

They are what the publisher makes of a made-up finding. In the page each stands between
`<!-- example: NAME -->` and `<!-- end of example -->`.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from pull_responder.checks import no_route_to_ecr, role_lacks_pull_permissions
from pull_responder.findings.alert import Alert
from pull_responder.findings.finding import Finding, finding_id
from pull_responder.findings.notice import Edge, Notice
from pull_responder.findings.reach import Reach
from pull_responder.generate.error import GenerateError
from pull_responder.model.pull import Principal, PrincipalKind, PullFailure, Stage, Symptom
from pull_responder.model.verdict import Remediation, Resource
from pull_responder.publish.notification import alert_notification, digest_notification

if TYPE_CHECKING:
    from pull_responder.checks.check import Check
    from pull_responder.publish.notification import Notification

ACCOUNT: Final = "111111111111"
REGION: Final = "eu-west-1"
ROLE: Final = f"arn:aws:iam::{ACCOUNT}:role/eks/prod-node"
_SUBNET: Final = f"arn:aws:ec2:{REGION}:{ACCOUNT}:subnet/subnet-0a1b2c3d4e5f60718"
_POLICY: Final = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly"
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


def update_page(page: str) -> str:
    """Return `page` with its examples as the publisher writes them today. Raises GenerateError for an unknown one."""
    examples = _examples()
    if unknown := sorted({match["name"] for match in _EXAMPLE.finditer(page)} - examples.keys()):
        raise GenerateError(
            f"docs/notifications.md: no example is named {', '.join(unknown)}; there are {', '.join(examples)}"
        )
    return _EXAMPLE.sub(lambda match: f"{match['name']} -->\n{examples[match['name']]}", page)


def _examples() -> dict[str, str]:
    alert = _alert()
    resolved = replace(
        alert, edge=Edge.RESOLVED, at="2026-11-23T02:12:40Z", because="The policies of the role allow the pull now."
    )
    notifications = {
        "alert": alert_notification(Alert.alone(alert)),
        "resolved": alert_notification(Alert.alone(resolved)),
        "digest": digest_notification([alert, _alert_of_subnet()]),
    }
    forms = {"email": _mail, "document": _document, "chat": _chat, "attributes": _attributes}
    return {
        f"{name}-{form}": write(notification)
        for name, notification in notifications.items()
        for form, write in forms.items()
    }


def _mail(notification: Notification) -> str:
    return f"```\nSubject: {notification.subject}\n\n{notification.texts['email']}```\n"


def _document(notification: Notification) -> str:
    return _json(json.loads(notification.texts["default"]))


def _chat(notification: Notification) -> str:
    return _json(json.loads(notification.texts["https"]))


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
    )
    return Notice(
        Edge.NEW,
        finding,
        reach,
        at="2026-11-23T01:04:12Z",
        opened_at="2026-11-23T01:04:12Z",
        since="2026-11-23T01:00:00Z",
    )


def _alert_of_subnet() -> Notice:
    alert = _alert()
    fix = replace(
        alert.finding.remediation,
        summary="Give the subnet a default route to a NAT gateway, or VPC endpoints for ECR and S3.",
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
