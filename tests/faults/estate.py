"""The estate that fails: the demo's, with a node without a way to ECR and a cache whose role may do nothing beside it.

It is in one of two phases: BROKEN or MENDED.
"""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from unittest.mock import patch

from pull_responder.demo import estate as demo
from pull_responder.demo.breaks import BREAKS
from pull_responder.demo.cloudtrail_record import denied_pull
from pull_responder.demo.image_pull import Call, ImagePull
from pull_responder.emulator.emulated_aws import ACCOUNT, REGION, emulated_aws
from tests.integration.network.estate import NetworkEstate
from tests.integration.responder.scene import change, denial
from tests.unit.events.audit_records import RECORD, container, delivered, record

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pull_responder.emulator.emulated_aws import EmulatedAws

BROKEN: Final = "broken"
MENDED: Final = "mended"
CACHE_ROLE: Final = "cache"
CACHED: Final = "base/app"
_FETCH: Final = (
    "ecr:BatchGetImage",
    "ecr:GetAuthorizationToken",
    "ecr:GetDownloadUrlForLayer",
    "ecr:BatchImportUpstreamImage",
    "ecr:GetImageCopyStatus",
)
_EXPECTED: Final = {
    "network_route": "no_route_to_ecr",
    "cache": "pull_through_cache_failing",
}


@dataclass(slots=True)
class Estate:
    """The estate on an emulated AWS, and what happens in it."""

    aws: EmulatedAws
    demo: demo.DemoEstate
    network: NetworkEstate
    phase: str = MENDED

    def change_to(self, phase: str) -> None:
        """Break everything, or mend it."""
        if phase == self.phase:
            return
        self.phase = phase
        broken = phase == BROKEN
        iam = self.aws.client("iam")
        web, batch = demo.role_name("web"), demo.role_name("batch")
        there = self.aws.client("ecr", account=demo.PLATFORM_ACCOUNT)
        guests = (demo.NEIGHBOUR_ACCOUNT,) if broken else (ACCOUNT, demo.NEIGHBOUR_ACCOUNT)
        there.set_repository_policy(
            repositoryName=demo.PLATFORM_IMAGE.repository, policyText=json.dumps(demo.grant(*guests))
        )
        if broken:
            iam.detach_role_policy(RoleName=web, PolicyArn=demo.PULL_ONLY_POLICY)
            iam.put_role_permissions_boundary(RoleName=batch, PermissionsBoundary=demo.BOUNDARY)
            iam.delete_role_policy(RoleName=CACHE_ROLE, PolicyName="fetch")
            self.network.unroute(self.network.table_a)
        else:
            iam.attach_role_policy(RoleName=web, PolicyArn=demo.PULL_ONLY_POLICY)
            iam.delete_role_permissions_boundary(RoleName=batch)
            iam.put_role_policy(RoleName=CACHE_ROLE, PolicyName="fetch", PolicyDocument=_allow(*_FETCH))
            self.network.route(self.network.table_a, "0.0.0.0/0", NatGatewayId=self.network.nat)

    def events(self, at: float) -> list[dict[str, Any]]:
        """Return the events of the failed pulls that EventBridge delivers."""
        events = []
        for broken in BREAKS:
            node = self.demo.nodes[broken.node_group][0]
            pull = ImagePull((Call("BatchGetImage", "AccessDeniedException"),), "ASIA0123456789EXAMPL")
            now = datetime.fromtimestamp(at, UTC)
            events.append(denied_pull(node, broken.image, pull, broken.policy_type, now=now))
        upstream = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/upstream/app"
        session = "ecr-pull-through-cache"
        events.append(denial(CACHE_ROLE, session, at=at, action="BatchGetImage", resource=upstream))
        return events

    def audit_batch(self, at: float) -> dict[str, Any]:
        """Return the cluster's audit log of a pod on the node without a way, as the function `audit_log` gets it."""
        image = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{self.network.name}/app:v1"
        dialled = "dial tcp 52.46.134.1:443: i/o timeout"
        host = image.partition("/")[0]
        message = (
            f'failed to pull and unpack image "{image}": failed to resolve reference "{image}": failed to do request: '
            f'Head "https://{host}/v2/{self.network.name}/app/manifests/v1": {dialled}'
        )
        session = self.network.instance
        extra = {
            "arn": [f"arn:aws:sts::{ACCOUNT}:assumed-role/{self.network.name}-node/{session}"],
            "sessionName": [session],
        }
        when = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.000000Z")
        pod = record(
            container(image, message=message),
            user={**RECORD["user"], "extra": extra},
            requestReceivedTimestamp=when,
            stageTimestamp=when,
        )
        return delivered(pod, logGroup=f"/aws/eks/{self.network.name}/cluster", owner=ACCOUNT)

    def changes(self) -> list[dict[str, Any]]:
        """Return the events of the calls that mend everything."""
        platform = {"repositoryName": demo.PLATFORM_IMAGE.repository, "registryId": demo.PLATFORM_ACCOUNT}
        there = change("ecr", "SetRepositoryPolicy", **platform)
        return [
            change("iam", "AttachRolePolicy", roleName=demo.role_name("web"), policyArn=demo.PULL_ONLY_POLICY),
            {
                **there,
                "account": demo.PLATFORM_ACCOUNT,
                "detail": {**there["detail"], "recipientAccountId": demo.PLATFORM_ACCOUNT},
            },
            change("iam", "DeleteRolePermissionsBoundary", roleName=demo.role_name("batch")),
            change("iam", "PutRolePolicy", roleName=CACHE_ROLE, policyName="fetch"),
            change("ec2", "CreateRoute", routeTableId=self.network.table_a, destinationCidrBlock="0.0.0.0/0"),
        ]


def _allow(*actions: str) -> str:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _build_cache(aws: EmulatedAws) -> None:
    iam, ecr = aws.client("iam"), aws.client("ecr")
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "pullthroughcache.ecr.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    iam.create_role(
        RoleName=CACHE_ROLE, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )
    iam.put_role_policy(RoleName=CACHE_ROLE, PolicyName="fetch", PolicyDocument=_allow(*_FETCH))
    ecr.create_pull_through_cache_rule(
        ecrRepositoryPrefix="base",
        upstreamRegistryUrl=f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com",
        customRoleArn=f"arn:aws:iam::{ACCOUNT}:role/{CACHE_ROLE}",
        upstreamRepositoryPrefix="upstream",
    )
    ecr.create_repository(repositoryName="upstream/app")
    ecr.create_repository(repositoryName=CACHED)


@contextmanager
def running_estate() -> Iterator[Estate]:
    """Start an emulated AWS, and build the estate in it, MENDED."""
    with emulated_aws() as aws, patch.dict(os.environ, aws.environment):
        built = demo.build(aws)
        _build_cache(aws)
        network = NetworkEstate(aws.environment["AWS_ENDPOINT_URL"], Path(), keys=(ACCOUNT, "test", None))
        network.build().behind_nat()
        network.node()
        yield Estate(aws, built, network)
