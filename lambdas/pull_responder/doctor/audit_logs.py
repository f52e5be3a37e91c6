"""Whether the audit logs of the clusters arrive: those that the stack is told of, and which it is not told of.

Source: EKS API Reference, DescribeCluster (logging.clusterLogging); CloudWatch Logs API Reference,
DescribeSubscriptionFilters and PutSubscriptionFilter; Lambda API Reference, GetPolicy and AddPermission.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from pull_responder.doctor.examination import Examination
from pull_responder.doctor.result import Result, broken, off, unread, works
from pull_responder.facts.paging import pages
from pull_responder.model.pattern import compile_stars
from pull_responder.model.unread import Unread
from pull_responder.remediation.shell import aws

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pull_responder.doctor.deployment import Deployment
    from pull_responder.doctor.resource import Resource
    from pull_responder.facts.reader import Reader

_ID: Final = "audit_logs"
_PERMISSIONS: Final = (
    "eks:DescribeCluster",
    "eks:ListClusters",
    "lambda:GetPolicy",
    "logs:DescribeSubscriptionFilters",
)
_MISSING: Final = frozenset({"ResourceNotFoundException"})
_PREFIX, _SUFFIX = "/aws/eks/", "/cluster"
_LOGGING: Final = '{"clusterLogging":[{"types":["audit"],"enabled":true}]}'
_UNSEEN: Final = "denials by endpoint policies, network failures and all else that CloudTrail does not record"
_SHOWN: Final = 10
_STATEMENT_ID: Final = 100  # characters: Lambda API Reference, AddPermission
_TESTS: Final = ("ArnEquals", "ArnLike", "StringEquals", "StringLike")
_INVOKES: Final = ("lambda:invokefunction", "lambda:*", "*")


def _examine(deployment: Deployment, reader: Reader) -> list[Result]:
    if deployment.template:
        return [
            unread(_ID, "audit logs", deployment.template, "Which clusters' audit logs the stack reads is not known")
        ]
    filters = deployment.of_kind("AWS::Logs::SubscriptionFilter")
    named = {cluster: each for each in filters if (cluster := _cluster(each))}
    found = reader.each(lambda cluster: _one(deployment, reader, cluster, named[cluster]), sorted(named))
    return [*(result for results in found for result in results), _others(deployment, reader, named)]


def _cluster(subscription: Resource) -> str | None:
    group = str(subscription.properties.get("LogGroupName", ""))
    is_cluster = group.startswith(_PREFIX) and group.endswith(_SUFFIX)
    return group.removeprefix(_PREFIX).removesuffix(_SUFFIX) if is_cluster else None


def _meaning(clusters: str) -> str:
    return f"Of {clusters} this will not be seen: {_UNSEEN}"


def _one(deployment: Deployment, reader: Reader, cluster: str, subscription: Resource) -> list[Result]:
    return [
        _logging(deployment, reader, cluster),
        _subscription(deployment, reader, cluster, subscription),
        *(_permission(deployment, reader, cluster, each) for each in _permissions_of(deployment, cluster)),
    ]


def _logging(deployment: Deployment, reader: Reader, cluster: str) -> Result:
    region, subject = deployment.region, f"audit logging of cluster {cluster}"

    def request(client: Any) -> bool:  # noqa: ANN401 -- boto3's generated client
        logging = client.describe_cluster(name=cluster)["cluster"].get("logging", {}).get("clusterLogging", [])
        return any(each.get("enabled") and "audit" in each.get("types", []) for each in logging)

    read = reader.call(_PERMISSIONS[0], account=deployment.account, region=region, request=request, absent=_MISSING)
    if isinstance(read, Unread):
        return unread(_ID, subject, read, f"If it is off: {_meaning('this cluster')}")
    if read:
        return works(_ID, subject, "on")
    if read is None:
        step = "Remove the cluster from `auditLogClusters` and deploy, if it was deleted on purpose"
        return broken(_ID, subject, "there is no such cluster", _meaning("this cluster"), step=step)
    command = aws("eks", "update-cluster-config", name=cluster, logging=_LOGGING, region=region)
    return broken(_ID, subject, "off", _meaning("this cluster"), commands=(command,))


def _subscription(deployment: Deployment, reader: Reader, cluster: str, subscription: Resource) -> Result:
    region, group = deployment.region, f"{_PREFIX}{cluster}{_SUFFIX}"
    subject = f"subscription of log group {group}"
    expected = deployment.value(subscription.properties) or {}
    destination, pattern = expected.get("DestinationArn"), expected.get("FilterPattern")
    if not destination:
        why = Unread("what it was deployed with is not known")
        return unread(_ID, subject, why, f"If it does not work: {_meaning('this cluster')}")

    def request(client: Any) -> list[Mapping[str, Any]]:  # noqa: ANN401 -- boto3's generated client
        return pages(client, "describe_subscription_filters", "subscriptionFilters", logGroupName=group)

    read = reader.call(_PERMISSIONS[3], account=deployment.account, region=region, request=request, absent=_MISSING)
    if isinstance(read, Unread):
        return unread(_ID, subject, read, f"If it is gone: {_meaning('this cluster')}")
    meaning = _meaning("this cluster")
    if read is None:
        step = "Switch on audit logging of the cluster, which makes the log group, and run the doctor again"
        return broken(_ID, subject, "there is no such log group", meaning, step=step)
    ours = [each for each in read if each.get("destinationArn") == destination]
    if any(each.get("filterPattern") == pattern for each in ours):
        return works(_ID, subject, "it delivers to the function")
    command = aws(
        "logs",
        "put-subscription-filter",
        log_group_name=group,
        filter_name=str(ours[0]["filterName"] if ours else expected.get("FilterName")),
        filter_pattern=str(pattern),
        destination_arn=str(destination),
        region=region,
    )
    found = "its filter pattern was changed" if ours else "there is none to the function"
    return broken(_ID, subject, found, meaning, commands=(command,))


def _permissions_of(deployment: Deployment, cluster: str) -> list[Resource]:
    """Return the permissions in the template that let the cluster's log group invoke a function."""
    end = f":log-group:{_PREFIX}{cluster}{_SUFFIX}:*"
    permissions = deployment.of_kind("AWS::Lambda::Permission")
    return [each for each in permissions if str(deployment.value(each.properties.get("SourceArn"))).endswith(end)]


def _permission(deployment: Deployment, reader: Reader, cluster: str, permission: Resource) -> Result:
    """Return whether the function's policy still lets CloudWatch Logs invoke it for the log group of the cluster."""
    subject = f"permission of log group {_PREFIX}{cluster}{_SUFFIX} to invoke the function"
    expected, region = deployment.value(permission.properties) or {}, deployment.region
    function, principal, source = (expected.get(name) for name in ("FunctionName", "Principal", "SourceArn"))

    def request(client: Any) -> bool:  # noqa: ANN401 -- boto3's generated client
        statements = json.loads(client.get_policy(FunctionName=function)["Policy"])["Statement"]
        return any(_grants(each, str(principal), str(source), deployment.account) for each in statements)

    if not function:
        why = Unread("what it was deployed with is not known")
        return unread(_ID, subject, why, f"If it is gone: {_meaning('this cluster')}")
    read = reader.call(_PERMISSIONS[2], account=deployment.account, region=region, request=request, absent=_MISSING)
    if isinstance(read, Unread):
        return unread(_ID, subject, read, f"If it is gone: {_meaning('this cluster')}")
    if read:
        return works(_ID, subject, "granted")
    command = aws(
        "lambda",
        "add-permission",
        function_name=str(function),
        statement_id=f"pull-responder-{cluster}"[:_STATEMENT_ID],
        action=str(expected.get("Action")),
        principal=str(principal),
        source_arn=str(source),
        source_account=deployment.account,
        region=region,
    )
    return broken(
        _ID, subject, "the function's policy does not grant it", _meaning("this cluster"), commands=(command,)
    )


def _grants(statement: Mapping[str, Any], principal: str, source: str, account: str) -> bool:
    """Return whether a statement lets the service `principal` invoke the function for `source`, which is `account`'s.

    A statement with a condition that is not known here counts for nothing.
    """
    who = statement["Principal"]
    service = who.get("Service") if isinstance(who, dict) else who
    allows = any(each.lower() in _INVOKES for each in _listed(statement["Action"]))
    if statement["Effect"] != "Allow" or service not in (principal, "*") or not allows:
        return False
    event = {"aws:sourcearn": source, "aws:sourceaccount": account}
    return all(
        test in _TESTS
        and key.lower() in event
        and any(compile_stars(each)(event[key.lower()]) for each in _listed(wanted))
        for test, limits in statement.get("Condition", {}).items()
        for key, wanted in limits.items()
    )


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _others(deployment: Deployment, reader: Reader, named: Mapping[str, Resource]) -> Result:
    def request(client: Any) -> list[str]:  # noqa: ANN401 -- boto3's generated client
        return pages(client, "list_clusters", "clusters")

    subject = f"other clusters in {deployment.region}"
    read = reader.call(_PERMISSIONS[1], account=deployment.account, region=deployment.region, request=request)
    if isinstance(read, Unread):
        return unread(_ID, subject, read, _meaning("clusters that `auditLogClusters` does not name"))
    left_out = sorted(set(read or []) - set(named))
    if not left_out:
        return works(_ID, subject, "there is no cluster whose audit log is not read")
    shown = ", ".join(left_out[:_SHOWN])
    more = f" and {len(left_out) - _SHOWN} more" if len(left_out) > _SHOWN else ""
    return off(
        _ID,
        subject,
        f"their audit logs are not read: {shown}{more}",
        _meaning("these clusters"),
        step="Name them in `auditLogClusters` and deploy (docs/operations.md, Audit logs)",
    )


CHECK: Final = Examination(
    _ID, "audit logging of clusters, and the subscriptions of their log groups", _PERMISSIONS, _examine
)
