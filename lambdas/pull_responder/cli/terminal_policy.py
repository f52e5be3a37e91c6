"""The IAM policy that a terminal needs, from what checks declare, on the resources that the deployed roles have."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pull_responder import doctor
from pull_responder.cli import trial_way
from pull_responder.cli.scopes import SCOPES
from pull_responder.doctor import deployment
from pull_responder.permissions import declared_permissions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

LONGEST: Final = 6144
"""The most characters of a managed policy, white space not counted (IAM User Guide, "IAM and AWS STS quotas")."""

FOR: Final = ("diagnose", "doctor", "test-event")
"""The commands that ask AWS."""

# What no function does: only a terminal sends a test event (Service Authorization Reference, Amazon EventBridge).
_OWN: Final = {"events:PutEvents": {"arns": ["arn:{partition}:events:{region}:{account}:event-bus/*"]}}


@dataclass(frozen=True, slots=True)
class Place:
    """Whose resources the policy names; `*` stands for any. `stack` is the deployment's name."""

    partition: str = "aws"
    account: str = "*"
    region: str = "*"
    stack: str = "PullResponder"


def policy(command: str, place: Place, *, member_role: str, read_accounts: Iterable[str] = ()) -> dict[str, Any]:
    """Return the policy for one of FOR.

    `member_role` is the role to assume in other accounts: those of our organization, and `read_accounts`.
    """
    by_scope: defaultdict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = defaultdict(list)
    scopes: dict[str, Any] = json.loads(SCOPES) | _OWN
    for action in sorted(actions(command)):
        scope = scopes[action]
        arns = tuple(sorted({arn.format(**_names(place, member_role)) for arn in scope["arns"]}))
        by_scope[arns, tuple(scope.get("condition", ()))].append(action)
    statements = [_statement(named, arns, condition) for (arns, condition), named in by_scope.items()]
    if accounts := sorted(set(read_accounts)):
        arns = tuple(f"arn:{place.partition}:iam::{account}:role/{member_role}" for account in accounts)
        statements.append(_statement(["sts:AssumeRole"], arns, ()))
    made = _document(statements)
    return made if len(json.dumps(made, separators=(",", ":"))) <= LONGEST else _document(_joined(statements))


def _document(statements: Iterable[dict[str, Any]]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": _numbered([dict(each) for each in statements])}


def _joined(statements: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the statements with those of one service as one, if no two of them name the same type of resource.

    Each of our actions takes resources of one type alone, so no statement allows more by that, and they are shorter.
    """
    by_service: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for each in statements:
        service = each["Resource"][0].split(":")[2:3]
        by_service[service[0] if service and "Condition" not in each else each["Sid"]].append(each)
    found: list[dict[str, Any]] = []
    for service, parts in by_service.items():
        types = [{_sid((arn,)) for arn in each["Resource"]} for each in parts]
        if len(parts) == 1 or len(set().union(*types)) < sum(map(len, types)):
            found += parts
            continue
        arns = [arn for each in parts for arn in each["Resource"]]
        named = [action for each in parts for action in each["Action"]]
        found.append({"Sid": service.title().replace("-", ""), "Effect": "Allow", "Action": named, "Resource": arns})
    return found


def actions(command: str) -> frozenset[str]:
    """Return the IAM actions of one of FOR. sts:GetCallerIdentity, which comes first, needs no permission."""
    if command == "diagnose":
        declared = declared_permissions()["diagnose"]
        return frozenset((*declared["read"], *declared["assume"]))
    if command == "doctor":
        return frozenset((*deployment.PERMISSIONS, *doctor.PERMISSIONS, "sts:AssumeRole"))
    return frozenset((*deployment.PERMISSIONS, *trial_way.PERMISSIONS))


def _names(place: Place, member_role: str) -> Mapping[str, str]:
    """Return what the placeholders of SCOPES stand for.

    CloudFormation begins the names of what it makes with the stack's name.
    Source: AWS CloudFormation User Guide, "Physical resource IDs", for resources that the template does not name.
    """

    def of_stack(service: str, resource: str = "") -> str:
        return f"arn:{place.partition}:{service}:{place.region}:{place.account}:{resource}{place.stack}-*"

    table, topic, queue = of_stack("dynamodb", "table/"), of_stack("sns"), of_stack("sqs")
    return {
        "partition": place.partition,
        "account": place.account,
        "region": place.region,
        "stack": place.stack,
        # Those of the stack on either bus and, in an organization, those that forward from the other regions.
        "rules": f"arn:{place.partition}:events:*:{place.account}:rule/*",
        "function": of_stack("lambda", "function:"),
        "table": table,
        "table_index": f"{table}/index/*",
        "topic": topic,
        "topics": topic,
        "queue": queue,
        "queues": queue,
        "member_role": member_role,
    }


def _statement(named: Iterable[str], arns: tuple[str, ...], condition: tuple[str, ...]) -> dict[str, Any]:
    statement: dict[str, Any] = {"Sid": _sid(arns), "Effect": "Allow", "Action": list(named), "Resource": list(arns)}
    if condition:
        key, value = condition
        statement["Condition"] = {"StringEquals": {key: value}}
    return statement


def _sid(arns: tuple[str, ...]) -> str:
    """Return a name of letters for what the ARNs are: IamRole, EksCluster."""
    if arns == ("*",):
        return "WithoutResource"
    _, _, service, _, _, resource = arns[0].split(":", 5)
    kind = resource.replace(":", "/").partition("/")[0] if set(resource) & set(":/") else ""
    return "".join(part.title() for part in (service, *kind.split("-")) if part.isalnum())


def _numbered(statements: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the statements with a Sid of its own each, as IAM wants it within one policy."""
    seen: Counter[str] = Counter()
    for each in statements:
        seen[each["Sid"]] += 1
        if (number := seen[each["Sid"]]) > 1:
            each["Sid"] += str(number)
    return statements


def cluster_role() -> dict[str, Any]:
    """Return the ClusterRole that `diagnose --pod` needs, to be bound to whoever runs it."""
    read = ["get", "list"]
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "pull-responder"},
        "rules": [
            {"apiGroups": [""], "resources": ["pods", "events"], "verbs": read},
            {"apiGroups": ["events.k8s.io"], "resources": ["events"], "verbs": read},
            {"apiGroups": [""], "resources": ["nodes", "serviceaccounts"], "verbs": ["get"]},
        ],
    }
