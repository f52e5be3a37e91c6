"""Patches for ministack 1.5.33: accounts of an organization, and what they send to each other.

An account that asks AWS Organizations for anything has an organization, and CreateAccount makes its members. Each patch
closes one gap and names it.
"""
# ruff: noqa: SLF001, ANN401 -- ministack has neither types nor public names for any of this

from __future__ import annotations

import base64
import gzip
import json
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_OWN_ORGANIZATION: Final = "${aws:PrincipalOrgID}"
# In the policy of a destination that lets an organization in.
_OF_AN_ORGANIZATION: Final = "aws:PrincipalOrgID"


def apply() -> None:
    """Patch ministack in this process. Call it before ministack's server starts, and after patches.apply()."""
    for patch in (
        _know_members,
        _compare_organizations,
        _keep_policies_of_buses,
        _send_to_buses_elsewhere,
        _make_destinations,
        _send_logs_to_destinations,
    ):
        patch()


def _module(name: str) -> Any:
    return import_module(f"ministack.{name}")


@contextmanager
def _place(account: str, region: str) -> Iterator[None]:
    """Be in another account and region, as if a request there were answered."""
    responses = _module("core.responses")
    before = responses._request_account_id.set(account), responses._request_region.set(region)
    try:
        yield
    finally:
        responses._request_account_id.reset(before[0])
        responses._request_region.reset(before[1])


def _management_of(account: str) -> str:
    """Return the management account of the organization that an account is in; the account itself if it is in none."""
    members = _module("services.organizations")._accounts
    return next((owner for owner, member in list(members._data) if member == account), account)


def _organization_of(account: str) -> str | None:
    """Return the id of the organization that an account is in."""
    found = _module("services.organizations")._orgs.get_scoped(_management_of(account), None, "self")
    return found["Id"] if found else None


def _know_members() -> None:
    """An account that was created in an organization has one of its own when it asks, and aws:PrincipalOrgID none.

    A member may read which organization it is in, and no more (Organizations API Reference, DescribeOrganization: "from
    any account in the organization"; others: "only from the management account or a delegated administrator").
    """
    organizations = _module("services.organizations")
    _module("core.iam_evaluator")._principal_org_id = _organization_of

    def answer(name: str, stock: Any) -> Any:
        def asked(payload: Any) -> Any:
            account = organizations.get_account_id()
            management = _management_of(account)
            if management == account:
                return stock(payload)
            if name != "DescribeOrganization":
                words = "You don't have permissions to access this resource."
                return organizations.error_response_json("AccessDeniedException", words, 400)
            with _place(management, _module("core.responses").get_region()):
                return stock(payload)

        return asked

    organizations._DISPATCH.update({name: answer(name, stock) for name, stock in organizations._DISPATCH.items()})


def _compare_organizations() -> None:
    """aws:ResourceOrgID has no value, and a policy variable is no more than its text."""
    evaluator = _module("core.iam_evaluator")
    resolve, conditions_met = evaluator._resolve_condition_key, evaluator._conditions_met

    def resolve_key(key: str, context: Any) -> Any:
        if key.lower() != "aws:resourceorgid":
            return resolve(key, context)
        return _organization_of(evaluator._account_from_arn(context.resource_arn) or context.principal_account)

    def met(conditions: Any, context: Any) -> Any:
        text = json.dumps(conditions)
        if _OWN_ORGANIZATION not in text:
            return conditions_met(conditions, context)
        # Without a value, a condition with the variable is not met (IAM User Guide, "Policy variables with no value").
        own = _organization_of(context.principal_account)
        return own is not None and conditions_met(json.loads(text.replace(_OWN_ORGANIZATION, own)), context)

    evaluator._resolve_condition_key = resolve_key
    evaluator._conditions_met = met


def _keep_policies_of_buses() -> None:
    """CloudFormation ignores the policy of an event bus."""
    handler = _module("services.cloudformation.provisioners")._RESOURCE_HANDLERS["AWS::Events::EventBus"]
    eventbridge, stock = _module("services.eventbridge"), handler["create"]

    def create(logical_id: str, properties: Any, stack: str) -> Any:
        name, attributes = stock(logical_id, properties, stack)
        if "Policy" in properties:
            eventbridge._event_bus_policies[name] = properties["Policy"]
        return name, attributes

    handler["create"] = create


def _send_to_buses_elsewhere() -> None:
    """A rule cannot have an event bus of another account or region as its target.

    The target's role has to be allowed to put events there, and the bus's policy has to let it if the account is
    another one (EventBridge User Guide, "Sending and receiving events between AWS accounts"). The event keeps the
    account and region that it comes from.
    """
    eventbridge = _module("services.eventbridge")
    stock = eventbridge._invoke_target

    def invoke(target: Any, event: Any, rule: Any, view: Any = None) -> Any:
        spec = eventbridge.parse_arn(target["Arn"])
        here = (eventbridge.get_account_id(), eventbridge.get_region())
        if spec.service != "events" or (spec.account_id, spec.region) == here:
            return stock(target, event, rule, view)
        name = spec.resource.removeprefix("event-bus/")
        if not _may_put(target, here, (spec.account_id, spec.region), name):
            eventbridge.logger.warning("EventBridge: %s may not put events on %s", target.get("RoleArn"), target["Arn"])
            return None
        with _place(spec.account_id, spec.region):
            return eventbridge._dispatch_event({**event, "EventBusName": name})

    eventbridge._invoke_target = invoke


def _may_put(target: Any, sender: tuple[str, str], place: tuple[str, str], bus: str) -> bool:
    """Return whether the role of a rule's target may put events on a bus that is there."""
    eventbridge, evaluator = _module("services.eventbridge"), _module("core.iam_evaluator")
    role = target.get("RoleArn", "").rpartition("/")[2]
    if eventbridge._event_buses.get_scoped(*place, bus) is None or not role:
        return False
    context = evaluator.EvalContext(
        principal_arn=f"arn:aws:sts::{sender[0]}:assumed-role/{role}/events",
        principal_type="AssumedRole",
        principal_account=sender[0],
        action="events:PutEvents",
        resource_arn=target["Arn"],
        region=place[1],
    )
    own = evaluator.evaluate(context, evaluator._gather_role_policies(role, sender[0])).decision
    theirs = eventbridge._event_bus_policies.get_scoped(*place, bus)
    if sender[0] == place[0]:
        return bool(own == "Allow")
    return bool(own == "Allow" and evaluator.evaluate_resource_policy(theirs, context).decision == "Allow")


def _make_destinations() -> None:
    """CloudFormation has no AWS::Logs::Destination."""
    logs = _module("services.cloudwatch_logs")

    def create(_logical_id: str, properties: Any, _stack: str) -> Any:
        name = properties["DestinationName"]
        asked = {"targetArn": properties["TargetArn"], "roleArn": properties["RoleArn"]}
        logs._put_destination({"destinationName": name, **asked})
        logs._put_destination_policy({"destinationName": name, "accessPolicy": properties.get("DestinationPolicy", "")})
        return name, {"Arn": logs._destinations[name]["arn"]}

    def delete(name: str, _properties: Any) -> None:
        logs._delete_destination({"destinationName": name})

    handlers = _module("services.cloudformation.provisioners")._RESOURCE_HANDLERS
    handlers["AWS::Logs::Destination"] = {"create": create, "delete": delete}


def _send_logs_to_destinations() -> None:
    """A subscription to a destination is taken without a look, and delivers nothing.

    The destination's policy has to let the account of the log group subscribe. If it lets an organization in, the
    subscription has to have a role of its own account (CloudWatch Logs User Guide, "Step 2: (Only if using an
    organization) Create an IAM role"). The destination's role has to be allowed to write to the stream, which may be in
    another region (same guide, "Cross-account cross-Region log data sharing using Kinesis Data Streams"). A stream gets
    what a function gets, as plain gzip.
    """
    logs, evaluator = _module("services.cloudwatch_logs"), _module("core.iam_evaluator")
    put, send = logs._put_subscription_filter, logs._fanout_to_subscription_filters

    def destination(arn: str) -> Any:
        *_, region, account, _, name = arn.split(":")
        return logs._destinations.get_scoped(account, region, name)

    def put_filter(asked: Any) -> Any:
        arn = asked.get("destinationArn", "")
        if ":destination:" in arn:
            account = logs.get_account_id()
            context = evaluator.EvalContext(
                principal_arn=f"arn:aws:iam::{account}:root",
                principal_type="Root",
                principal_account=account,
                action="logs:PutSubscriptionFilter",
                resource_arn=arn,
                region=logs.get_region(),
            )
            found = destination(arn)
            policy = found["accessPolicy"] if found else ""
            may = evaluator.evaluate_resource_policy(policy, context).decision == "Allow"
            if not may or (_OF_AN_ORGANIZATION in policy and not _may_send(asked)):
                words = "Could not deliver test message to specified destination. Check if the destination is valid."
                return logs.error_response_json("InvalidParameterException", words, 400)
        return put(asked)

    def fan_out(group: str, stream: str, events: Any) -> None:
        send(group, stream, events)
        for each in (logs._log_groups.get(group) or {}).get("subscriptionFilters", {}).values():
            found = destination(each["destinationArn"]) if ":destination:" in each["destinationArn"] else None
            lines = [one for one in events if logs._subscription_pattern_matches(each["filterPattern"], one["message"])]
            if found and lines:
                _write(found, _document(each["filterName"], group, stream, lines))

    logs._put_subscription_filter = put_filter
    logs._fanout_to_subscription_filters = fan_out


def _may_send(asked: Any) -> bool:
    """Return whether a subscription's role is its account's, trusts CloudWatch Logs and may send what its group has."""
    logs, evaluator = _module("services.cloudwatch_logs"), _module("core.iam_evaluator")
    account, region, arn = logs.get_account_id(), logs.get_region(), asked.get("roleArn", "")
    name = arn.rpartition("/")[2]
    role = _module("services.iam")._roles.get_scoped(account, None, name)
    if role is None or role["Arn"] != arn or not _trusts_logs(role["AssumeRolePolicyDocument"]):
        return False
    context = evaluator.EvalContext(
        principal_arn=f"arn:aws:sts::{account}:assumed-role/{name}/logs",
        principal_type="AssumedRole",
        principal_account=account,
        action="logs:PutLogEvents",
        resource_arn=f"arn:aws:logs:{region}:{account}:log-group:{asked.get('logGroupName')}:log-stream:any",
        region=region,
    )
    return bool(evaluator.evaluate(context, evaluator._gather_role_policies(name, account)).decision == "Allow")


def _trusts_logs(trust: Any) -> bool:
    """Return whether a role's trust policy names CloudWatch Logs."""
    statements = (json.loads(trust) if isinstance(trust, str) else trust)["Statement"]
    matches = _module("core.iam_evaluator")._service_principal_matches
    return any(
        each["Effect"] == "Allow" and matches(each["Principal"], "logs.amazonaws.com")
        for each in (statements if isinstance(statements, list) else [statements])
    )


def _document(name: str, group: str, stream: str, lines: Any) -> dict[str, Any]:
    """Return what a subscription of this name sends of these lines."""
    logs = _module("services.cloudwatch_logs")
    return {
        "messageType": "DATA_MESSAGE",
        "owner": logs.get_account_id(),
        "logGroup": group,
        "logStream": stream,
        "subscriptionFilters": [name],
        "logEvents": [
            {"id": logs.new_uuid(), "timestamp": each["timestamp"], "message": each["message"]} for each in lines
        ],
    }


def _write(destination: Any, document: dict[str, Any]) -> None:
    """Write a document to the stream of a destination, if the destination's role may."""
    evaluator, kinesis = _module("core.iam_evaluator"), _module("services.kinesis")
    spec = _module("services.eventbridge").parse_arn(destination["targetArn"])
    role = destination["roleArn"].rpartition("/")[2]
    context = evaluator.EvalContext(
        principal_arn=f"arn:aws:sts::{spec.account_id}:assumed-role/{role}/logs",
        principal_type="AssumedRole",
        principal_account=spec.account_id,
        action="kinesis:PutRecord",
        resource_arn=destination["targetArn"],
        region=spec.region,
    )
    with _place(spec.account_id, spec.region):
        if evaluator.evaluate(context, evaluator._gather_role_policies(role, spec.account_id)).decision == "Allow":
            data = base64.b64encode(gzip.compress(json.dumps(document).encode())).decode()
            name = spec.resource.removeprefix("stream/")
            kinesis._put_record({"StreamName": name, "PartitionKey": document["logStream"], "Data": data})
