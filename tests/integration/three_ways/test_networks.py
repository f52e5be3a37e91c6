"""Conditions of policies on the way and the organization, and fixes of several commands: told by the three ways."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from moto.organizations.models import organizations_backends

from tests.integration.checks.estate import explicit_deny
from tests.integration.checks.organization import Organization
from tests.integration.checks.organization import deny as refuse_read
from tests.integration.handlers.test_diagnose import denial
from tests.integration.network.conftest import built, estate, moto
from tests.integration.network.estate import ACCOUNT, PULL, REGION
from tests.integration.network.test_causes import acl_allows_nothing
from tests.integration.network.test_endpoint_policies import allow, policy
from tests.integration.network.test_node_identity import disassociate
from tests.integration.network.test_request_way import SAME_VPC, TOKEN, VPCE_KEYS, addresses
from tests.integration.network.test_request_way import deny as deny_role
from tests.integration.three_ways.in_process import in_process, kubelet_says, session
from tests.integration.three_ways.room import LATER, OF_AWS
from tests.integration.three_ways.row import HEAD, RESOLVE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pull_responder.emulator.emulated_aws import EmulatedAws
    from tests.integration.network.estate import NetworkEstate
    from tests.integration.three_ways.ways import Ways

__all__ = ["built", "estate", "moto"]

TIMEOUT = RESOLVE + HEAD + "net/http: TLS handshake timeout"
STATUS = RESOLVE + "unexpected status from HEAD request to https://{host}/v2/{name}/manifests/v1: "
ADDON = f"{OF_AWS}.dkr.ecr.{REGION}.amazonaws.com/eks/coredns:v1"
LACKS, DENIES = "role_lacks_pull_permissions", "role_policy_denies_pull"
PATHS = "aws:PrincipalOrgPaths"


@pytest.fixture
def aws(estate: NetworkEstate, monkeypatch: pytest.MonkeyPatch) -> EmulatedAws:  # noqa: ARG001 -- what starts moto
    monkeypatch.setenv("SECURITY_HUB_ENABLED", "false")
    return in_process()


@pytest.fixture(autouse=True)
def outside_organizations() -> Iterator[None]:
    """What a test makes of our account's organization is gone after it."""
    yield
    organizations_backends[ACCOUNT]["aws"].reset()


def organize(aws: EmulatedAws) -> str:
    """The id of our account's new organization, which it manages."""
    made: str = aws.client("organizations").create_organization(FeatureSet="ALL")["Organization"]["Id"]
    return made


def arn(kind: str, name: str) -> str:
    return f"arn:aws:ec2:{REGION}:{ACCOUNT}:{kind}/{name}"


def told_by_aws(estate: NetworkEstate, reason: str) -> str:
    """What a newer runtime passes on of the registry's refusal."""
    return STATUS + (
        f"403 Forbidden: denied: User: {session(estate)} is not authorized to perform: ecr:BatchGetImage on resource: "
        f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{{name}}{reason}"
    )


def refused_token(estate: NetworkEstate) -> dict[str, Any]:
    """kubelet's event of a token that AWS refused to its credential provider."""
    said = (
        "error execing credential provider plugin ecr-credential-provider for image {image}: operation error ECR: "
        "GetAuthorizationToken, https response error StatusCode: 400, RequestID: 1-2, api error AccessDeniedException: "
        f"User: {session(estate)} is not authorized to perform: {TOKEN} on resource: *"
    )
    return kubelet_says(estate, said + explicit_deny("identity-based policy"))


def recorded_token(estate: NetworkEstate) -> dict[str, Any]:
    """CloudTrail's record of the same refusal."""
    event = denial(f"{estate.name}-node", estate.instance)
    event["detail"]["errorMessage"] = (
        f"User: {session(estate)} is not authorized to perform: {TOKEN} on resource: *"
        + explicit_deny("identity-based policy")
    )
    event["detail"] |= {"eventTime": LATER, "sourceIPAddress": "203.0.113.99"}
    return event


class TestConditionsOnTheOrganization:
    def test_paths_that_cannot_be_read_begin_with_the_organization(
        self,
        ways: Ways,
        estate: NetworkEstate,
        anew: Callable[[], None],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        organization = organize(ways.aws)
        refuse_read(monkeypatch, "list_parents")
        estate.behind_nat().node()
        event = kubelet_says(
            estate, told_by_aws(estate, " because no identity-based policy allows the ecr:BatchGetImage action")
        )

        def granted_to(path: str) -> None:
            anew()
            condition = {"ForAnyValue:StringLike": {PATHS: path}}
            document = policy({"Effect": "Allow", "Action": PULL, "Resource": "*", "Condition": condition})
            estate.client("iam").put_role_policy(
                RoleName=f"{estate.name}-node", PolicyName="pull", PolicyDocument=json.dumps(document)
            )

        granted_to("o-other/*")
        ways.agree(event, found={(LACKS, estate.role)})
        # AWS's words are older than the grant.
        granted_to(f"{organization}/*")
        assert ways.agree(event).undecided == {}
        granted_to(f"{organization}/r-1/*")
        ways.agree(event, undecided=LACKS, why=PATHS)

    def test_an_endpoint_for_our_organization_takes_no_image_of_aws(
        self, ways: Ways, estate: NetworkEstate, anew: Callable[[], None]
    ) -> None:
        organize(ways.aws)
        estate.endpoints_only().node()
        event = kubelet_says(estate, STATUS + "403 Forbidden", ADDON)
        perimeter = {"aws:ResourceOrgID": "${aws:PrincipalOrgID}"}
        for condition in (perimeter, {"aws:ResourceAccount": ACCOUNT}):
            anew()
            estate.delete_endpoint("ecr.dkr")
            endpoint = estate.interface_endpoint(
                "ecr.dkr", policy=policy(allow("*", Condition={"StringEquals": condition}))
            )
            ways.agree(event, found={("endpoint_policy_blocks_pull", arn("vpc-endpoint", endpoint))})
        # Beside it, AWS's own page lets the registries of AWS pass.
        anew()
        estate.delete_endpoint("ecr.dkr")
        passing = allow(*PULL, Condition={"StringEquals": {"aws:ResourceAccount": OF_AWS}})
        estate.interface_endpoint("ecr.dkr", policy=policy(allow("*", Condition={"StringEquals": perimeter}), passing))
        assert "endpoint_policy_blocks_pull" not in ways.agree(event).undecided

    def test_a_service_control_policy_for_our_resources_denies_images_of_aws(
        self, ways: Ways, anew: Callable[[], None]
    ) -> None:
        organization = Organization.create()
        organization.enable("SERVICE_CONTROL_POLICY")
        condition = {"StringNotEqualsIfExists": {"aws:ResourceOrgID": "${aws:PrincipalOrgID}"}}
        denied = {"Effect": "Deny", "Action": "ecr:*", "Resource": "*", "Condition": condition}
        policy_arn = organization.control("perimeter", denied, organization.nodes_unit)

        def refused(reason: str) -> dict[str, Any]:
            event = denial("node", organization.instance) | organization.event(reason, owner=OF_AWS)
            event["detail"]["eventTime"] = LATER
            return event

        ways.agree(refused(""), found={("scp_blocks_pull", policy_arn)})
        # AWS's own example lets the registries of AWS pass.
        anew()
        condition["StringNotEqualsIfExists"]["aws:ResourceAccount"] = OF_AWS
        policy_id = policy_arn.rpartition("/")[2]
        organization.client.update_policy(PolicyId=policy_id, Content=json.dumps(policy(denied)))
        assert ways.agree(refused(explicit_deny("service control policy"))).undecided == {}


class TestConditionsOnTheWay:
    """They decide about a token, which the node itself asks for."""

    @pytest.mark.parametrize("by", ["NAT gateway", "internet gateway"])
    def test_the_request_comes_from_the_public_address(
        self, by: str, ways: Ways, estate: NetworkEstate, anew: Callable[[], None]
    ) -> None:
        if by == "NAT gateway":
            estate.behind_nat().node()
            (address,) = addresses(estate)
        else:
            node = estate.in_public().node()
            (found,) = estate.ec2.describe_instances(InstanceIds=[node])["Reservations"][0]["Instances"]
            address = found["PublicIpAddress"]
        for tell, condition, denied in (
            (refused_token, {"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}}, True),
            (recorded_token, {"NotIpAddress": {"aws:SourceIp": f"{address}/32"}}, False),
            (
                recorded_token,
                {"StringEquals": {"aws:SourceIp": address}, "Null": dict.fromkeys(VPCE_KEYS, "true")},
                True,
            ),
        ):
            anew()
            deny_role(estate, condition)
            answer = ways.agree(tell(estate), found={(DENIES, estate.role)} if denied else ())
            assert answer.undecided == {}
        # AWS does not say where the calls come from that the registry makes.
        anew()
        deny_role(estate, {"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}}, "ecr:BatchGetImage")
        ways.agree(kubelet_says(estate, STATUS + "403 Forbidden"), undecided=DENIES, why="aws:SourceIp")

    def test_behind_an_endpoint_it_comes_from_the_vpc(
        self, ways: Ways, estate: NetworkEstate, anew: Callable[[], None]
    ) -> None:
        estate.endpoints_only().node()
        own = {
            "aws:SourceVpc": estate.vpc,
            "aws:Ec2InstanceSourceVpc": estate.vpc,
            "aws:SourceVpce": estate.endpoints["ecr.api"],
            "aws:VpceAccount": ACCOUNT,
        }
        # Our account is in no organization, and so is the endpoint.
        absent = dict.fromkeys(("aws:SourceIp", "aws:VpceOrgID", "aws:VpceOrgPaths"), "true")
        for condition, denied in (
            ({"StringEquals": own, "IpAddress": {"aws:VpcSourceIp": "10.0.0.0/16"}, "Null": absent}, True),
            ({"StringEquals": {**own, "aws:VpceAccount": OF_AWS}}, False),
            (SAME_VPC, False),
        ):
            anew()
            deny_role(estate, condition)
            answer = ways.agree(refused_token(estate), found={(DENIES, estate.role)} if denied else ())
            assert answer.undecided == {}


def test_each_entry_of_a_network_acl_has_a_number_of_its_own(ways: Ways, estate: NetworkEstate) -> None:
    estate.endpoints_only().node()
    acl_allows_nothing(estate)
    of_subnet = [{"Name": "association.subnet-id", "Values": [estate.a]}]
    (acl,) = [each["NetworkAclId"] for each in estate.ec2.describe_network_acls(Filters=of_subnet)["NetworkAcls"]]
    cause = "network_acl_blocks_traffic"
    answer = ways.agree(kubelet_says(estate, TIMEOUT), found={(cause, arn("network-acl", acl))})
    entries = Counter(
        (words[words.index("--rule-number") + 1], "--egress" in words)
        for words in map(shlex.split, answer.fix(cause).commands)
    )
    # Several on either side, and no number twice there.
    assert min(Counter(egress for _, egress in entries).values()) > 1
    assert set(entries.values()) == {1}


def test_a_managed_policy_of_five_versions_makes_room_before_it_is_changed(ways: Ways, estate: NetworkEstate) -> None:
    estate.behind_nat().node()
    iam = estate.client("iam")
    deny = json.dumps(policy({"Effect": "Deny", "Action": "ecr:BatchGetImage", "Resource": "*"}))
    guard: str = iam.create_policy(PolicyName=f"{estate.name}-guard", PolicyDocument=deny)["Policy"]["Arn"]
    for _ in range(4):
        iam.create_policy_version(PolicyArn=guard, PolicyDocument=deny, SetAsDefault=True)
    iam.attach_role_policy(RoleName=f"{estate.name}-node", PolicyArn=guard)
    event = kubelet_says(estate, told_by_aws(estate, explicit_deny("identity-based policy")))
    answer = ways.agree(event, found={(DENIES, estate.role)})
    room, change = map(shlex.split, answer.fix(DENIES).commands)
    assert (room[2], room[room.index("--version-id") + 1]) == ("delete-policy-version", "v1")
    assert (change[2], "--set-as-default" in change) == ("create-policy-version", True)


def test_a_profile_that_was_taken_away_is_given_back(ways: Ways, estate: NetworkEstate) -> None:
    estate.behind_nat().node_group("workers")
    instance = estate.node(group="workers")
    disassociate(estate, instance)
    cause = "instance_profile_missing"
    answer = ways.agree(kubelet_says(estate, STATUS + "401 Unauthorized"), found={(cause, arn("instance", instance))})
    associate = "aws ec2 associate-iam-instance-profile"
    assert answer.fix(cause).commands == (
        f"{associate} --instance-id {instance} --iam-instance-profile Name={estate.name} --region {REGION}",
    )
