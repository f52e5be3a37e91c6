"""CloudTrail's records of a denied pull and of the call that fixes it, as EventBridge delivers them.

The emulated AWS keeps no trail, so the demo writes the records, in AWS's words.

- The shape of a denial is that of a real one of an EKS node: it has no request parameters and no resources. The
  repository is only in the error message.
- The wording of the reason: IAM User Guide, "Troubleshoot access denied error messages".
- Everything else: CloudTrail User Guide, "CloudTrail record contents".
"""

from __future__ import annotations

import shlex
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from pull_responder.emulator.emulated_aws import ACCOUNT, REGION

if TYPE_CHECKING:
    from pull_responder.demo.estate import DemoImage, Node
    from pull_responder.demo.image_pull import ImagePull
    from pull_responder.demo.shell import CommandResult
    from pull_responder.model.pull import PolicyType


def denied_pull(
    node: Node, image: DemoImage, pull: ImagePull, policy_type: PolicyType, *, now: datetime
) -> dict[str, Any]:
    """Return the event of a refusal: `node` pulled `image` in `pull`, and no `policy_type` allows it."""
    action = (pull.refused_call or pull.calls[0]).action
    session_arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/{node.role_name}/{node.instance_id}"
    detail = {
        "errorCode": "AccessDenied",
        "errorMessage": (
            f"User: {session_arn} is not authorized to perform: ecr:{action} on resource: {image.repository_arn} "
            f"because no {policy_type} allows the ecr:{action} action"
        ),
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": f"{node.role_id}:{node.instance_id}",
            "arn": session_arn,
            "accountId": ACCOUNT,
            "accessKeyId": pull.access_key_id,
            "sessionContext": {
                "sessionIssuer": {
                    "type": "Role",
                    "principalId": node.role_id,
                    "arn": node.role_arn,
                    "accountId": ACCOUNT,
                    "userName": node.role_name,
                },
                "attributes": {"creationDate": _iso(now - timedelta(hours=2)), "mfaAuthenticated": "false"},
                "ec2RoleDelivery": "2.0",
            },
            "invokedBy": "AWS Internal",
        },
        "sourceIPAddress": "AWS Internal",
        "userAgent": "AWS Internal",
    }
    return _event("ecr", action, ACCOUNT, detail, now=now)


def fixing_call(fix: CommandResult, *, now: datetime) -> dict[str, Any]:
    """Return the event of the call that a command of the AWS CLI made, with the credentials of its account's root.

    The CLI writes the names of a call and its parameters with dashes, the API without.
    """
    _, service, operation, *options = shlex.split(fix.line)
    parameters: dict[str, Any] = {}
    for option in options:
        if option.startswith("--"):
            name, joined, value = option[2:].partition("=")
            parameters[_camel(name)] = value if joined else True
        else:
            parameters[next(reversed(parameters))] = option
    parameters.pop("region", None)
    detail = {
        "userIdentity": {
            "type": "Root",
            "principalId": fix.account,
            "arn": f"arn:aws:iam::{fix.account}:root",
            "accountId": fix.account,
        },
        "requestParameters": parameters,
        "sourceIPAddress": "192.0.2.1",
        "userAgent": "aws-cli",
    }
    name = _camel(operation)
    return _event(service, name[0].upper() + name[1:], fix.account, detail, now=now)


def _event(service: str, call: str, account: str, detail: dict[str, Any], *, now: datetime) -> dict[str, Any]:
    time = _iso(now)
    return {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": "AWS API Call via CloudTrail",
        "source": f"aws.{service}",
        "account": account,
        "time": time,
        "region": REGION,
        "resources": [],
        "detail": {
            "eventVersion": "1.11",
            "eventSource": f"{service}.amazonaws.com",
            "eventName": call,
            "eventTime": time,
            "awsRegion": REGION,
            **detail,
            "eventID": str(uuid4()),
            "eventType": "AwsApiCall",
            "recipientAccountId": account,
        },
    }


def _camel(dashed: str) -> str:
    first, *others = dashed.split("-")
    return first + "".join(map(str.title, others))


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
