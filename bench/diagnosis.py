"""How long a full diagnosis takes where every answer of AWS takes 100 ms: its calls, its rounds of dependent reads.

An emulated AWS (moto) answers once, and what it answered is given again after exactly 100 ms, so that the emulator's
own time is not measured. The same reads are then made one after the other.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.httpsession import URLLib3Session
from moto.server import ThreadedMotoServer

from pull_responder.cli.asked_nodes import Chosen
from pull_responder.cli.question import ask
from pull_responder.events.image_reference import parse_image
from pull_responder.facts.aws import Aws
from pull_responder.facts.reading import Reading

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest, AWSRequest, AWSResponse

SECONDS: Final = 0.1
ROUNDS: Final = 4
REGION: Final = "us-east-1"
CLUSTER: Final = "bench"
IMAGE: Final = f"123456789012.dkr.ecr.{REGION}.amazonaws.com/app:v1"
IMAGE_MANIFEST: Final = {
    "schemaVersion": 2,
    "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
    "config": {
        "mediaType": "application/vnd.docker.container.image.v1+json",
        "size": 1,
        "digest": f"sha256:{'a' * 64}",
    },
    "layers": [],
}
PULL: Final = ["ecr:GetAuthorizationToken", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]


@dataclass(slots=True)
class Answers:
    """AWS's answers by request, and when each was given. `alone` lets one request at a time be answered."""

    known: dict[tuple[str, ...], AWSResponse] = field(default_factory=dict)
    calls: list[tuple[str, float, float]] = field(default_factory=list)
    alone: threading.Lock | None = None
    replaying: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def before_send(self, request: AWSPreparedRequest, event_name: str, **_: object) -> AWSResponse | None:
        """Answer from memory, after 100 ms."""
        if not self.replaying:
            return None
        if self.alone:
            with self.alone:
                return self._answer(request, event_name)
        return self._answer(request, event_name)

    def _answer(self, request: AWSPreparedRequest, event_name: str) -> AWSResponse:
        started = time.perf_counter()
        time.sleep(SECONDS)
        with self._lock:
            self.calls.append((event_name.removeprefix("before-send."), started, time.perf_counter()))
        return self.known[_key(request)]

    def remember(self, request: AWSRequest | AWSPreparedRequest, answer: AWSResponse) -> None:
        """Keep an answer of the emulator."""
        _ = answer.content  # read from the network now, to be read again
        self.known[_key(request)] = answer

    def rounds(self) -> int:
        """Return the longest chain of calls of which each began after the one before had been answered."""
        depth: dict[tuple[str, float, float], int] = {}
        for call in sorted(self.calls, key=lambda each: each[1]):
            depth[call] = 1 + max((deep for other, deep in depth.items() if other[2] <= call[1]), default=0)
        return max(depth.values(), default=0)


def _key(request: AWSRequest | AWSPreparedRequest) -> tuple[str, ...]:
    body = request.body or b""
    target = str(request.headers.get("X-Amz-Target", ""))
    service = (
        str(request.headers.get("Authorization", "")).partition("Credential=")[2].partition(",")[0].split("/")[3:4]
    )
    return (
        str(request.method),
        str(request.url),
        target,
        *service,
        body.decode() if isinstance(body, bytes) else str(body),
    )


def build(endpoint: str) -> None:
    """A node behind a NAT gateway, with S3's gateway endpoint; its role has two managed policies and an inline one."""

    def client(service: str) -> Any:  # noqa: ANN401 -- one of boto3's clients
        return boto3.client(service, region_name=REGION, endpoint_url=endpoint)  # type: ignore[call-overload]  # the stubs know services by literal name only

    ec2, iam, eks = client("ec2"), client("iam"), client("eks")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    node, public = (
        ec2.create_subnet(VpcId=vpc, CidrBlock=cidr)["Subnet"]["SubnetId"] for cidr in ("10.0.0.0/24", "10.0.1.0/24")
    )
    tables = {}
    for subnet in (node, public):
        tables[subnet] = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        ec2.associate_route_table(RouteTableId=tables[subnet], SubnetId=subnet)
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    ec2.create_route(RouteTableId=tables[public], DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=public, AllocationId=address)["NatGateway"]["NatGatewayId"]
    ec2.create_route(RouteTableId=tables[node], DestinationCidrBlock="0.0.0.0/0", NatGatewayId=nat)
    ec2.create_vpc_endpoint(
        VpcId=vpc, VpcEndpointType="Gateway", ServiceName=f"com.amazonaws.{REGION}.s3", RouteTableIds=[tables[node]]
    )
    role = _role(iam)
    ecr = client("ecr")
    ecr.create_repository(repositoryName="app")
    ecr.put_image(repositoryName="app", imageTag="v1", imageManifest=json.dumps(IMAGE_MANIFEST))
    eks.create_cluster(name=CLUSTER, roleArn=role, resourcesVpcConfig={"subnetIds": [node, public]})
    eks.create_nodegroup(clusterName=CLUSTER, nodegroupName="workers", subnets=[node], nodeRole=role)
    tags = {f"kubernetes.io/cluster/{CLUSTER}": "owned", "eks:cluster-name": CLUSTER, "eks:nodegroup-name": "workers"}
    ec2.run_instances(
        ImageId="ami-12345678",
        MinCount=1,
        MaxCount=1,
        SubnetId=node,
        IamInstanceProfile={"Name": "node"},
        TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": k, "Value": v} for k, v in tags.items()]}],
    )


def _role(iam: Any) -> str:  # noqa: ANN401 -- boto3's IAM client
    statement = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    role: str = iam.create_role(RoleName="node", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    for number, action in enumerate(PULL):
        allowed = {"Effect": "Allow", "Action": action, "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        if number == 0:
            iam.put_role_policy(RoleName="node", PolicyName="token", PolicyDocument=document)
            continue
        policy = iam.create_policy(PolicyName=f"pull{number}", PolicyDocument=document)["Policy"]["Arn"]
        iam.attach_role_policy(RoleName="node", PolicyArn=policy)
    iam.create_instance_profile(InstanceProfileName="node")
    iam.add_role_to_instance_profile(InstanceProfileName="node", RoleName="node")
    return role


def diagnose(aws: Aws) -> float:
    """Ask once, and return the seconds that took."""
    image = parse_image(IMAGE)
    if image is None:
        raise ValueError(f"{IMAGE} is no image")
    started = time.perf_counter()
    (answer,) = ask(Reading(aws), image, Chosen(CLUSTER, node_group="workers"), ())
    took = time.perf_counter() - started
    if answer.diagnosis.findings:
        raise ValueError(f"the estate is sound, and yet: {[each.cause for each in answer.diagnosis.findings]}")
    return took


def main() -> None:
    """Measure and print."""
    os.environ |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_CONFIG_FILE": os.devnull}
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        os.environ["AWS_ENDPOINT_URL"] = f"http://{host}:{port}"
        build(os.environ["AWS_ENDPOINT_URL"])
        measure()
    finally:
        server.stop()


def measure() -> None:
    """Diagnose three times: to know the answers, side by side, and one after the other."""
    answers = Answers()
    session = boto3.session.Session(region_name=REGION)
    session.events.register("before-send", answers.before_send)  # type: ignore[arg-type]  # the stubs forget that an answer may come back
    _remember_all(answers)
    diagnose(connect(session))
    answers.replaying = True
    started = time.perf_counter()
    aws = connect(session)
    start_up = time.perf_counter() - started
    took = diagnose(aws)
    calls, rounds = len(answers.calls), answers.rounds()
    names = Counter(name for name, _, _ in answers.calls)
    answers.calls.clear()
    answers.alone = threading.Lock()
    alone = diagnose(connect(session))
    print(f"A full diagnosis, every answer of AWS after {SECONDS * 1000:.0f} ms:")  # noqa: T201 -- what a benchmark is for
    print(f"  {calls} calls ({len(names)} kinds) in {rounds} rounds: {took:.2f} s")  # noqa: T201 -- the same
    print(f"  the same reads one after the other: {alone:.2f} s ({alone / took:.0f} times as long)")  # noqa: T201 -- the same
    print(f"  start-up, which is making the clients: {start_up:.2f} s")  # noqa: T201 -- the same
    if rounds > ROUNDS:
        raise SystemExit(f"{rounds} rounds of dependent reads are more than {ROUNDS}")


def connect(session: boto3.session.Session) -> Aws:
    """Return AWS with its clients made, and nothing known of it, not even who we are."""
    aws = Aws(session, member_role="PullResponderReadOnly")
    for service in ("ec2", "ecr", "eks", "iam", "organizations", "route53"):
        aws.client(service, account=None, region=REGION)
    return aws


def _remember_all(answers: Answers) -> None:
    """Keep what the emulator answers: botocore's HTTP layer is the one place that sees request and answer together."""
    send = URLLib3Session.send

    def sending(self: URLLib3Session, request: AWSRequest | AWSPreparedRequest) -> AWSResponse:
        answer: AWSResponse = send(self, request)
        answers.remember(request, answer)
        return answer

    URLLib3Session.send = sending  # type: ignore[method-assign]  # a recorder, for this process only


if __name__ == "__main__":
    main()
