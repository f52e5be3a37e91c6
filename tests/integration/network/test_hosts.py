"""Hosts other than the plain one: FIPS and dual-stack ones, registries of another region, and ECR Public."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pull_responder.diagnosis import Diagnosis, diagnose, skip_reason
from pull_responder.events.intake import Origins, Skipped, read_body
from pull_responder.events.kubelet_message import read_message
from pull_responder.events.pod_failure import PodFailure
from pull_responder.facts.reader import Reader
from pull_responder.meanings import can_mean
from pull_responder.model.pull import PullFailure
from pull_responder.pulls.pull_facts import PullFacts
from tests.integration.network.estate import ACCOUNT, INTERNET, REGION, NetworkEstate, causes, only, opened
from tests.integration.network.hub import BUCKET, diagnosed, of_manifest

if TYPE_CHECKING:
    from pull_responder.events.intake import Inspection

HOSTS = {
    "FIPS": f"{ACCOUNT}.dkr.ecr-fips.{REGION}.amazonaws.com",
    "dual-stack": f"{ACCOUNT}.dkr-ecr.{REGION}.on.aws",
    "dual-stack FIPS": f"{ACCOUNT}.dkr-ecr-fips.{REGION}.on.aws",
    "another region's": f"{ACCOUNT}.dkr.ecr.eu-west-1.amazonaws.com",
}
PUBLIC = "public.ecr.aws/docker/library/nginx:1.27"
TIMEOUT = (
    f'failed to pull and unpack image "{PUBLIC}": failed to resolve reference "{PUBLIC}": failed to do request: Head '
    '"https://public.ecr.aws/v2/docker/library/nginx/manifests/1.27": dial tcp 99.83.145.10:443: i/o timeout'
)
NO_NAME = TIMEOUT.replace(
    "dial tcp 99.83.145.10:443: i/o timeout",
    "dial tcp: lookup public.ecr.aws on 10.0.0.2:53: no such host",
)
REFUSED = f'failed to pull image "{PUBLIC}": unexpected status from https://public.ecr.aws/token/: 403 Forbidden'


def asked(estate: NetworkEstate, host: str) -> Diagnosis:
    return estate.ask(image=f"{host}/{estate.name}/app:v1").diagnosis


@pytest.mark.parametrize("host", HOSTS.values(), ids=HOSTS)
def test_behind_nat_the_way_is_clear_until_its_route_goes(estate: NetworkEstate, host: str) -> None:
    estate.behind_nat()
    estate.node()
    if host != HOSTS["another region's"]:
        diagnosis = asked(estate, host)
        assert (causes(diagnosis), diagnosis.inconclusive) == ([], ())
    assert {"no_route_to_ecr", "security_group_blocks_egress"} <= set(asked(estate, host).passed)
    estate.unroute(estate.table_a)
    assert "no_route_to_ecr" in causes(asked(estate, host))


@pytest.mark.parametrize("host", [HOSTS[each] for each in ("FIPS", "dual-stack", "dual-stack FIPS")])
def test_whether_an_endpoint_answers_for_such_a_name_decides_where_it_is_reported(
    estate: NetworkEstate, host: str
) -> None:
    estate.endpoints_only()
    estate.node()
    diagnosis = asked(estate, host)
    assert causes(diagnosis) == []
    assert "whether the private DNS of" in opened(diagnosis)["vpc_endpoint_missing"]
    # ECR's endpoints are told to hold these names, or other ones.
    api = (
        host.replace(f"{ACCOUNT}.", "").replace("dkr.ecr", "ecr").replace("dkr-ecr", "ecr").replace("on.aws", "api.aws")
    )
    estate.set_private_names("ecr.api", api)
    estate.set_private_names("ecr.dkr", "*." + host.partition(".")[2])
    diagnosis = asked(estate, host)
    assert (causes(diagnosis), diagnosis.inconclusive) == ([], ())
    estate.delete_endpoint("ecr.dkr")
    estate.delete_endpoint("ecr.api")
    finding = only(asked(estate, host), "vpc_endpoint_missing")
    assert finding.remediation.commands == ()
    assert "plain registry host" in finding.remediation.summary


def test_another_regions_registry_is_reached_by_no_endpoint_of_this_one(estate: NetworkEstate) -> None:
    estate.endpoints_only()
    estate.node()
    image = "602401143452.dkr.ecr.eu-west-1.amazonaws.com/eks/pause:3.10"
    only(estate.ask(image=image).diagnosis, "no_route_to_ecr")


def reported(message: str, estate: NetworkEstate, *, image: str = PUBLIC) -> PullFailure | Skipped | Inspection:
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/{estate.name}-node/{estate.instance}"
    failure = PodFailure(ACCOUNT, message, image, estate.name, principal_arn=session, node="ip-10-0-0-9.ec2.internal")
    return read_body(failure.body(region=REGION), origins=Origins(ACCOUNT))


def of_event(message: str, estate: NetworkEstate) -> Diagnosis:
    pull = reported(message, estate)
    assert isinstance(pull, PullFailure)
    assert (pull.image, pull.registry_account, pull.region) == (PUBLIC, None, REGION)
    return diagnose(pull, PullFacts(Reader(estate.aws())))


def without_pull_permission(estate: NetworkEstate) -> None:
    estate.client("iam").delete_role_policy(RoleName=f"{estate.name}-node", PolicyName="pull")


def test_a_public_image_that_times_out_is_explained_by_the_way_alone(estate: NetworkEstate) -> None:
    """Neither the role, which may pull nothing here, nor ECR's endpoints have a part in it."""
    estate.endpoints_only()
    estate.node()
    without_pull_permission(estate)
    finding = only(of_event(TIMEOUT, estate), "no_route_to_ecr")
    assert finding.resource.id.endswith(estate.a)
    estate.route(estate.table_a, INTERNET, GatewayId=estate.igw)
    only(of_event(TIMEOUT, estate), "public_ip_missing")


def test_a_public_image_behind_nat_is_not_explained(estate: NetworkEstate) -> None:
    estate.behind_nat()
    estate.node()
    without_pull_permission(estate)
    diagnosis = of_event(TIMEOUT, estate)
    assert (causes(diagnosis), diagnosis.inconclusive) == ([], ())
    assert "curl -v https://public.ecr.aws/v2/" in diagnosis.look_next
    assert set(diagnosis.passed) == {
        "no_route_to_ecr",
        "nat_gateway_unavailable",
        "security_group_blocks_egress",
        "network_acl_blocks_traffic",
        "vpc_dns_disabled",
    }
    estate.close_egress(estate.group)
    only(of_event(TIMEOUT, estate), "security_group_blocks_egress")


def test_a_public_name_that_does_not_resolve(estate: NetworkEstate) -> None:
    estate.behind_nat()
    estate.node()
    estate.ec2.modify_vpc_attribute(VpcId=estate.vpc, EnableDnsSupport={"Value": False})
    only(of_event(NO_NAME, estate), "vpc_dns_disabled")


@pytest.mark.parametrize(
    "message",
    [
        REFUSED,
        TIMEOUT.replace("dial tcp 99.83.145.10:443: i/o timeout", "unexpected status: 403 Forbidden"),
        f'failed to resolve reference "{PUBLIC}": denied: Your authorization token has expired. Reauthenticate.',
    ],
)
def test_a_public_image_is_refused_for_a_login_that_is_no_longer_valid(estate: NetworkEstate, message: str) -> None:
    """Neither the role, which may pull nothing here, nor a private registry has a part in it."""
    estate.behind_nat()
    estate.node()
    without_pull_permission(estate)
    finding = only(of_event(message, estate), "registry_token_expired")
    assert "ECR Public refuses the login" in finding.explanation
    assert "docker logout public.ecr.aws" in finding.remediation.summary
    assert finding.remediation.commands == ()
    assert can_mean(read_message(message)) == ("registry_token_expired",)


def test_a_layer_of_a_public_image_that_is_refused_is_not_the_logins(estate: NetworkEstate) -> None:
    estate.behind_nat()
    estate.node()
    layer = (
        f'failed to pull and unpack image "{PUBLIC}": failed to copy: httpReadSeeker: failed open: unexpected status '
        "code https://d2glxqk2uabbnd.cloudfront.net/0f/ab: 403 Forbidden"
    )
    diagnosis = of_event(layer, estate)
    assert causes(diagnosis) == []
    assert "such as a proxy or a firewall" in opened(diagnosis)["registry_token_expired"]


def test_a_public_image_whose_registry_answered_is_skipped_with_a_word(estate: NetworkEstate) -> None:
    pull = reported("image not found", estate)
    assert isinstance(pull, PullFailure)
    assert "Amazon ECR Public" in (skip_reason(pull) or "")


def test_a_question_about_a_public_image_speaks_of_the_way_alone(estate: NetworkEstate) -> None:
    estate.behind_nat()
    estate.node()
    without_pull_permission(estate)
    answer = estate.ask(image=PUBLIC)
    assert (causes(answer.diagnosis), answer.diagnosis.inconclusive) == ([], ())
    assert "role_lacks_pull_permissions" not in answer.diagnosis.passed
    estate.unroute(estate.table_a)
    only(estate.ask(image=PUBLIC).diagnosis, "no_route_to_ecr")


def test_the_hosts_of_an_event_reach_the_analysis(estate: NetworkEstate) -> None:
    """A dual-stack name in a pod is the name that is looked for, not the plain one."""
    estate.endpoints_only()
    estate.node()
    image = f"{HOSTS['dual-stack']}/{estate.name}/app:v1"
    pull = reported(f'failed to do request: Head "https://{image}": i/o timeout', estate, image=image)
    assert isinstance(pull, PullFailure)
    found = opened(diagnose(pull, PullFacts(Reader(estate.aws()))))
    assert HOSTS["dual-stack"] in found["vpc_endpoint_missing"]


class TestALayerThatItsStorageRefuses:
    """ECR signed the URL, so it had let the role through."""

    REFUSED = f"failed to copy: httpReadSeeker: failed open: unexpected status code https://{BUCKET}/x: 403 Forbidden"

    def test_what_is_left_is_on_the_way_to_the_storage(self, estate: NetworkEstate) -> None:
        estate.endpoints_only().node()
        diagnosis = diagnosed(estate, self.REFUSED)
        assert causes(diagnosis) == []
        assert [each.cause for each in diagnosis.inconclusive] == ["pull_failing_unexplained"]
        assert (
            "the storage of layers refused a URL that ECR had signed" in opened(diagnosis)["pull_failing_unexplained"]
        )

    def test_policies_of_the_role_that_cannot_be_read_cannot_be_it(self, estate: NetworkEstate) -> None:
        estate.endpoints_only().node()
        diagnosis = diagnosed(estate, self.REFUSED, denied=["iam:GetRole", "iam:ListRolePolicies"])
        assert "role_lacks_pull_permissions" in {each.cause for each in diagnosis.unchecked}
        assert {each.cause for each in diagnosis.inconclusive} == {"pull_failing_unexplained"}

    def test_the_registrys_own_refusal_leaves_them_open(self, estate: NetworkEstate) -> None:
        estate.endpoints_only().node()
        message = of_manifest(estate, "unexpected status: 403 Forbidden")
        diagnosis = diagnosed(estate, message, denied=["iam:GetRole", "iam:ListRolePolicies"])
        assert "role_lacks_pull_permissions" in {each.cause for each in diagnosis.inconclusive}

    def test_an_endpoint_that_cannot_be_read_stays_open(self, estate: NetworkEstate) -> None:
        estate.endpoints_only().node()
        diagnosis = diagnosed(estate, self.REFUSED, denied=["ec2:DescribeVpcEndpoints"])
        assert {each.cause for each in diagnosis.inconclusive} == {"s3_endpoint_policy_blocks_layers"}
