"""Whatever AWS's answers are broken like, every read says that it could not read, and none takes one for "nothing"."""

from __future__ import annotations

from io import BytesIO
from itertools import count
from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest
from botocore.awsrequest import AWSResponse, HTTPHeaders

from pull_responder.diagnosis import diagnose
from pull_responder.facts import (
    addons,
    cache_rules,
    compute,
    creation_templates,
    ec2,
    ecr,
    eks,
    endpoints,
    existence,
    iam,
    images,
    kms,
    lifecycle,
    network,
    organizations,
    pod_interface,
    profiles,
    resolver,
    resolver_endpoints,
    signing,
    vpc,
    vpc_dns,
)
from pull_responder.facts.aws import Aws
from pull_responder.facts.reader import Reader
from pull_responder.facts.vpc import VpcPlace
from pull_responder.model.arn import Arn
from pull_responder.model.pull import Denial, Principal, PrincipalKind, PullFailure, Stage, Symptom
from pull_responder.model.unread import Unread
from pull_responder.model.verdict import Resource
from pull_responder.network.resolver import Profile
from pull_responder.pulls.pull_facts import PullFacts
from tests.unit.facts.conftest import ACCOUNT, OTHER, REGION

if TYPE_CHECKING:
    from collections.abc import Callable

PLACE: Final = VpcPlace(ACCOUNT, REGION, "vpc-1")
IN_ROOT: Final = organizations.AccountPlace(("r-1", ACCOUNT), ACCOUNT)
ORGANIZATION: Final = organizations.Organization("o-1", OTHER)
POLICY: Final = f"arn:aws:iam::{ACCOUNT}:policy/pull"
AT: Final = (ACCOUNT, REGION)
BODIES: Final = {
    "empty": b"",
    "blank": b" \n",
    "words": b"upstream connect error",
    "other bytes": b"\xff\xfe\x00",
    "an empty object": b"{}",
    "null": b"null",
    "a list": b"[]",
    "a text": b'"x"',
    "a number": b"7",
    "a cut object": b'{"clusters": ["prod"',
    "an object of others": b'{"message": "ok", "nextToken": null}',
    "a token alone": b'{"nextToken": "t", "NextToken": "t"}',
    "deep": b"[" * 100_000,
    "a page": b"<html><body>Sign in</body></html>",
    "another's answer": b"<GetMetricDataResponse><x>1</x></GetMetricDataResponse>",
    "cut XML": b"<DescribeVpcsResponse><vpcSet><item>",
}


def _part(kind: str, name: str) -> Callable[[Reader], object]:
    arn = f"arn:aws:ec2:{REGION}:{ACCOUNT}:{kind}/{name}"
    return lambda reader: existence.is_gone(Resource("Other", arn, ACCOUNT), reader)


READS: Final[dict[str, Callable[[Reader], object]]] = {
    "addon": lambda r: addons.read_addon(r, *AT, "prod", "vpc-cni"),
    "cache rules": lambda r: cache_rules.read_cache_rules(r, *AT),
    "secret": lambda r: cache_rules.read_secret(r, *AT, POLICY),
    "creation templates": lambda r: creation_templates.read_creation_templates(r, *AT),
    "cluster": lambda r: compute.read_cluster(r, *AT, "prod"),
    "node group": lambda r: compute.read_node_group(r, *AT, "prod", "a"),
    "Fargate profile": lambda r: compute.read_fargate_profile(r, *AT, "prod", "a"),
    "node groups": lambda r: compute.read_node_group_names(r, *AT, "prod"),
    "Fargate profiles": lambda r: compute.read_fargate_profile_names(r, *AT, "prod"),
    "access entries": lambda r: compute.read_access_entry_arns(r, *AT, "prod"),
    "access entry": lambda r: compute.read_access_entry(r, *AT, "prod", POLICY),
    "clusters": lambda r: eks.read_clusters(r, *AT),
    "instance": lambda r: ec2.read_instance(r, *AT, "i-1"),
    "instances": lambda r: ec2.read_running_instances(r, *AT, {"vpc-id": ("vpc-1",)}),
    "launch template": lambda r: ec2.read_launch_template(r, *AT, "lt-1", "1"),
    "repository policy": lambda r: ecr.read_repository_policy(r, *AT, "app"),
    "repository tags": lambda r: ecr.read_repository_tags(r, *AT, "app"),
    "registry policy": lambda r: ecr.read_registry_policy(r, *AT),
    "registry policy scope": lambda r: ecr.read_registry_policy_scope(r, *AT),
    "endpoints": lambda r: endpoints.read_endpoints(r, PLACE),
    "AWS's prefix lists": lambda r: endpoints.read_aws_prefix_lists(r, PLACE),
    "prefix list": lambda r: endpoints.read_prefix_list(r, PLACE, "pl-1", ""),
    "role": lambda r: iam.read_role(r, *AT, "node"),
    "instance profile": lambda r: iam.read_instance_profile(r, *AT, "node"),
    "profiles of a role": lambda r: iam.read_profiles_of_role(r, *AT, "node"),
    "inline policies": lambda r: iam.read_inline_policies(r, *AT, "node"),
    "attached policies": lambda r: iam.read_attached_policies(r, *AT, "node"),
    "managed policy": lambda r: iam.read_managed_policy(r, *AT, POLICY),
    "policy versions": lambda r: iam.read_policy_versions(r, *AT, POLICY),
    "repository": lambda r: images.read_repository(r, *AT, "app"),
    "repositories": lambda r: images.read_repository_names(r, *AT),
    "image": lambda r: images.read_image(r, *AT, images.ImageName("app", "1")),
    "tags": lambda r: images.read_tags(r, *AT, "app"),
    "newest tags": lambda r: images.read_newest_tags(r, *AT, "app"),
    "archived": lambda r: images.read_archived(r, *AT, images.ImageName("app", "1")),
    "platforms": lambda r: images.read_platforms(r, *AT, "app", "sha256:1"),
    "key": lambda r: kms.read_key(r, *AT, "key"),
    "lifecycle": lambda r: lifecycle.read_lifecycle_rules(r, *AT, "app"),
    "VPC of subnets": lambda r: network.read_vpc_id(r, *AT, ("subnet-1",)),
    "organization": lambda r: organizations.read_organization(r, *AT),
    "place": lambda r: organizations.read_place(r, *AT, OTHER),
    "control policies": lambda r: organizations.read_control_policies(
        r, IN_ROOT, ORGANIZATION, REGION, "SERVICE_CONTROL_POLICY"
    ),
    "pod interface": lambda r: pod_interface.read_pod_interface(r, PLACE, "10.0.0.1"),
    "Profiles": lambda r: resolver.read_profiles(r, PLACE),
    "associated rules": lambda r: resolver.read_associated_rules(r, PLACE),
    "rules": lambda r: resolver.read_rules(r, PLACE),
    "rule": lambda r: resolver.read_rule(r, PLACE, "rslvr-rr-1"),
    "what a Profile holds": lambda r: profiles.read_held(r, PLACE, (Profile("rp-1"),))[0].resources,
    "endpoints by id": lambda r: endpoints.read_named_endpoints(r, PLACE, ("vpce-1",)),
    "Resolver endpoint": lambda r: resolver_endpoints.read_resolver_endpoint(r, *AT, "rslvr-out-1"),
    "inbound endpoints": lambda r: resolver_endpoints.read_inbound_endpoints(r, *AT, "vpc-1"),
    "names of hosted zones": lambda r: vpc_dns.read_zone_names(r, PLACE, ""),
    "hosted zone": lambda r: vpc_dns.read_zone_by_id(r, PLACE, "Z1", ""),
    "signing": lambda r: signing.read_signing_rules(r, *AT),
    "subnets": lambda r: vpc.read_subnets(r, PLACE),
    "route tables": lambda r: vpc.read_route_tables(r, PLACE),
    "network ACLs": lambda r: vpc.read_network_acls(r, PLACE),
    "security groups": lambda r: vpc.read_security_groups(r, PLACE),
    "NAT gateways": lambda r: vpc.read_nat_gateways(r, PLACE),
    "internet gateways": lambda r: vpc.read_internet_gateways(r, PLACE),
    "egress-only gateways": lambda r: vpc.read_egress_only_gateways(r, PLACE),
    "VPC": lambda r: vpc_dns.read_vpc(r, PLACE),
    "DNS support": lambda r: vpc_dns.read_attribute(r, PLACE, "enableDnsSupport"),
    "DHCP options": lambda r: vpc_dns.read_dhcp_options(r, PLACE),
    "private zones": lambda r: vpc_dns.read_private_zones(r, PLACE),
    "whether a group is gone": _part("security-group", "sg-1"),
    "whether a subnet is gone": _part("subnet", "subnet-1"),
    "whether an instance is gone": _part("instance", "i-1"),
}


class _Body(BytesIO):
    """A body as urllib3 streams it."""

    def stream(self, **_: object) -> list[bytes]:
        return [self.read()]


def reader(*bodies: bytes) -> Reader:
    """A reader whose calls are answered 200 with these bodies, one after the other, and then always with the last."""
    left = list(bodies)

    def respond(**_: object) -> Any:  # noqa: ANN401 -- what botocore takes for an answer
        body = left.pop(0) if len(left) > 1 else left[0]
        return AWSResponse("https://aws.example", 200, HTTPHeaders(), _Body(body))

    session = boto3.session.Session("test", "test", region_name=REGION)
    session.events.register("before-send", respond)
    identity = Arn("aws", "sts", "", ACCOUNT, "assumed-role/responder/diagnose")
    return Reader(Aws(session, member_role="PullResponderReadOnly", identity=identity))


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_a_broken_answer_is_unread(read: Callable[[Reader], object]) -> None:
    answers = {name: read(reader(body)) for name, body in BODIES.items()}
    assert {name for name, answer in answers.items() if not isinstance(answer, Unread)} == set()
    assert all(
        "failed: IncompleteAnswerError" in answer.reason for answer in answers.values() if isinstance(answer, Unread)
    )


def test_who_we_are_in_a_broken_answer_is_unread() -> None:
    for body in BODIES.values():
        aws = Aws(reader(body).aws._session, member_role="PullResponderReadOnly")
        assert isinstance(aws.identity(), Unread)
        assert isinstance(reader(body).aws.reach(OTHER, region=REGION), Unread)


@pytest.mark.parametrize("broken", BODIES.values(), ids=BODIES)
def test_a_broken_answer_is_asked_for_once_more(broken: bytes) -> None:
    assert eks.read_clusters(reader(broken, b'{"clusters": ["prod"]}'), *AT) == ("prod",)


EMPTY: Final = {
    "clusters": b'{"clusters": []}',
    "cache rules": b'{"pullThroughCacheRules": []}',
    "creation templates": b'{"repositoryCreationTemplates": []}',
    "repositories": b'{"repositories": []}',
    "tags": b'{"imageIds": []}',
    "newest tags": b'{"imageDetails": []}',
    "node groups": b'{"nodegroups": []}',
    "Profiles": b'{"ProfileAssociations": []}',
    "rules": b'{"ResolverRules": [], "MaxResults": 100}',
    "signing": b'{"signingConfiguration": {"rules": []}}',
    "subnets": b"<DescribeSubnetsResponse><requestId>1</requestId><subnetSet/></DescribeSubnetsResponse>",
    # Inference: nothing documents that EC2 writes empty lists. Its answers have the request's id in any case.
    "security groups": b"<DescribeSecurityGroupsResponse><requestId>1</requestId></DescribeSecurityGroupsResponse>",
    "instances": b"<DescribeInstancesResponse><requestId>1</requestId><reservationSet/></DescribeInstancesResponse>",
    "profiles of a role": (
        b"<ListInstanceProfilesForRoleResponse><ListInstanceProfilesForRoleResult><InstanceProfiles/>"
        b"<IsTruncated>false</IsTruncated></ListInstanceProfilesForRoleResult>"
        b"<ResponseMetadata><RequestId>1</RequestId></ResponseMetadata></ListInstanceProfilesForRoleResponse>"
    ),
    "private zones": (
        b"<ListHostedZonesByVPCResponse><HostedZoneSummaries/><MaxItems>100</MaxItems></ListHostedZonesByVPCResponse>"
    ),
}


@pytest.mark.parametrize("name", EMPTY)
def test_an_empty_listing_is_no_broken_answer(name: str) -> None:
    answer = READS[name](reader(EMPTY[name]))
    assert not isinstance(answer, Unread)
    assert answer in ((), {})


def test_a_listing_without_an_end_is_unread() -> None:
    number = count()

    def respond(**_: object) -> Any:  # noqa: ANN401 -- what botocore takes for an answer
        body = b'{"clusters": ["c"], "nextToken": "%d"}' % next(number)
        return AWSResponse("https://aws.example", 200, HTTPHeaders(), _Body(body))

    asked = reader(b"")
    asked.aws._session.events.register_first("before-send", respond)
    found = eks.read_clusters(asked, *AT)
    assert isinstance(found, Unread)
    assert "more than 100 pages" in found.reason


@pytest.mark.parametrize("broken", BODIES.values(), ids=BODIES)
def test_of_broken_answers_nothing_is_concluded(broken: bytes) -> None:
    pull = PullFailure(
        symptom=Symptom.ACCESS_DENIED,
        stage=Stage.MANIFEST,
        region=REGION,
        principal=Principal(
            PrincipalKind.ROLE,
            f"arn:aws:sts::{ACCOUNT}:assumed-role/node/i-0123456789abcdef0",
            "aws",
            ACCOUNT,
            "node",
            "i-0123456789abcdef0",
        ),
        denial=Denial("ecr:BatchGetImage", f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/app", "no"),
        registry_account=ACCOUNT,
        repository="app",
    )
    diagnosis = diagnose(pull, PullFacts(reader(broken)))
    assert diagnosis.findings == ()
    assert diagnosis.passed == ()
    assert "role_lacks_pull_permissions" in {each.cause for each in diagnosis.inconclusive}
