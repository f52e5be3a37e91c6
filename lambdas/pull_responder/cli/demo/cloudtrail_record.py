"""The record that CloudTrail makes of a denied pull, as EventBridge delivers it.

The emulated AWS keeps no trail, so the demo writes it, in AWS's words. The shape is that of a real denial of an EKS
node: no request parameters and no resources, the repository stands in the error message alone. The wording of the
reason: IAM User Guide, "Troubleshoot access denied error messages".
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from pull_responder.cli.emulator.emulated_aws import ACCOUNT, REGION

if TYPE_CHECKING:
    from pull_responder.cli.demo.estate import Image, Node
    from pull_responder.cli.demo.image_pull import ImagePull
    from pull_responder.model.pull import PolicyType


def denied_pull(node: Node, image: Image, pull: ImagePull, policy_type: PolicyType, *, now: datetime) -> dict[str, Any]:
    """Return the event of `node` being refused in its `pull` of `image`, because no `policy_type` allows it."""
    action = (pull.refused or pull.calls[0]).action
    time = _iso(now)
    session_arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/{node.role_name}/{node.instance_id}"
    return {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": "AWS API Call via CloudTrail",
        "source": "aws.ecr",
        "account": ACCOUNT,
        "time": time,
        "region": REGION,
        "resources": [],
        "detail": {
            "eventVersion": "1.11",
            "eventSource": "ecr.amazonaws.com",
            "eventName": action,
            "eventTime": time,
            "awsRegion": REGION,
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
            "eventID": str(uuid4()),
            "eventType": "AwsApiCall",
            "recipientAccountId": ACCOUNT,
        },
    }


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
