"""Names that somebody else answers, and what kubelet's message shows of the way: address, host and DNS server."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest

from pull_responder.cli.main import main
from tests.integration.network.estate import EMPTY, INTERNET, REGION, NetworkEstate, causes, only, opened
from tests.integration.network.hub import (
    BUCKET,
    DIALLED,
    HOST,
    HUB,
    diagnosed,
    dns_servers,
    of_layer,
    of_manifest,
    only_out_to,
    pod_event,
    profile,
    rule,
    s3_prefix_list,
    spoke,
    transit_gateway,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

REGISTRIES = f"dkr.ecr.{REGION}.amazonaws.com"
TO_HUB: dict[str, Callable[[NetworkEstate], object]] = {
    "a Profile": profile,
    "a rule for the registries": lambda estate: rule(estate, REGISTRIES),
    "a rule for a parent domain": lambda estate: rule(estate, "amazonaws.com"),
    "a rule for all names": lambda estate: rule(estate, "."),
    "DNS servers of their own": lambda estate: dns_servers(estate, "10.100.0.2", "10.100.0.3"),
}
NAMED = {
    "a Profile": "Route 53 Profile rp-0123456789abcdef (shared-dns)",
    "a rule for the registries": f"sends questions for {REGISTRIES} to 10.100.0.2",
    "a rule for a parent domain": "sends questions for amazonaws.com to 10.100.0.2",
    "a rule for all names": "sends questions for all names to 10.100.0.2",
    "DNS servers of their own": "the DNS servers 10.100.0.2, 10.100.0.3",
}


class TestASpokeOfAHub:
    @pytest.mark.parametrize("by", TO_HUB)
    def test_nothing_is_broken_and_the_hub_is_named(self, estate: NetworkEstate, by: str) -> None:
        gateway = spoke(estate)
        TO_HUB[by](estate)
        diagnosis = diagnosed(estate, of_manifest(estate))
        assert causes(diagnosis) == []
        reason = opened(diagnosis)["no_route_to_ecr"]
        for word in (HUB, NAMED[by], gateway, f"Look next at {gateway}"):
            assert word in reason
        assert "no_route_to_ecr" in {each.cause for each in diagnosis.inconclusive}
        assert diagnosis.note == ""

    @pytest.mark.parametrize("by", TO_HUB)
    def test_rules_for_the_hub_and_s3_alone_are_enough(self, estate: NetworkEstate, by: str) -> None:
        spoke(estate)
        only_out_to(estate, "10.0.0.0/8", s3_prefix_list(estate))
        TO_HUB[by](estate)
        diagnosis = diagnosed(estate, of_manifest(estate))
        assert (causes(diagnosis), bool(diagnosis.inconclusive)) == ([], True)

    @pytest.mark.parametrize("by", TO_HUB)
    def test_without_an_address_in_the_message_the_same_is_open(self, estate: NetworkEstate, by: str) -> None:
        gateway = spoke(estate)
        TO_HUB[by](estate)
        diagnosis = diagnosed(estate, of_manifest(estate, "context deadline exceeded"))
        assert causes(diagnosis) == []
        for word in (NAMED[by], gateway):
            assert word in opened(diagnosis)["no_route_to_ecr"]

    def test_a_question_before_a_failure_is_open_too(self, estate: NetworkEstate) -> None:
        spoke(estate)
        profile(estate)
        diagnosis = estate.diagnose()
        assert causes(diagnosis) == []
        assert "Route 53 Profile" in opened(diagnosis)["vpc_endpoint_missing"]

    def test_what_stops_only_the_next_pull_does_not_explain_a_name_without_an_answer(
        self, estate: NetworkEstate
    ) -> None:
        spoke(estate)
        rule(estate, REGISTRIES)
        nothing = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}
        estate.client("iam").put_role_policy(
            RoleName=f"{estate.name}-node", PolicyName="pull", PolicyDocument=json.dumps(nothing)
        )
        message = of_manifest(estate, f"dial tcp: lookup {HOST} on 10.0.0.2:53: no such host")
        diagnosis = diagnosed(estate, message)
        assert causes(diagnosis) == ["role_lacks_pull_permissions"]
        why = {each.cause: each.reason for each in diagnosis.inconclusive}
        assert NAMED["a rule for the registries"] in why["vpc_dns_disabled"]
        # DNS that is off explains it: then nobody has to look at the hub.
        estate.ec2.modify_vpc_attribute(VpcId=estate.vpc, EnableDnsSupport={"Value": False})
        explained = diagnosed(estate, message)
        assert {*causes(explained)} == {"role_lacks_pull_permissions", "vpc_dns_disabled"}
        assert explained.inconclusive == ()

    def test_the_address_alone_is_enough(self, estate: NetworkEstate) -> None:
        """Nothing that was read sends the name away: a zone of another tool may, or the node itself."""
        gateway = spoke(estate)
        diagnosis = diagnosed(estate, of_manifest(estate))
        assert causes(diagnosis) == []
        assert gateway in opened(diagnosis)["no_route_to_ecr"]

    def test_a_filter_that_cannot_be_read_does_not_make_the_route_a_fault(self, estate: NetworkEstate) -> None:
        """The way that was computed may be sound: then it is the name's answer that is wrong, and no route."""
        estate.in_public()
        estate.node()
        assert causes(diagnosed(estate, of_manifest(estate))) == []
        unread = diagnosed(estate, of_manifest(estate), denied=["ec2:DescribeNetworkAcls"])
        assert causes(unread) == []
        assert HUB in {each.cause: each.reason for each in unread.inconclusive}["no_route_to_ecr"]

    def test_rules_of_another_vpc_change_nothing(self, estate: NetworkEstate) -> None:
        spoke(estate)
        other = estate.ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
        rule(estate, REGISTRIES, vpc=other)
        profile(estate, vpc=other)
        only(diagnosed(estate, of_manifest(estate, "context deadline exceeded")), "vpc_endpoint_missing")

    def test_a_system_rule_keeps_a_domain_from_the_rule_for_its_parent(self, estate: NetworkEstate) -> None:
        spoke(estate)
        rule(estate, ".")
        rule(estate, "amazonaws.com", kind="SYSTEM")
        only(diagnosed(estate, of_manifest(estate, "context deadline exceeded")), "vpc_endpoint_missing")

    def test_a_rule_for_another_domain_changes_nothing(self, estate: NetworkEstate) -> None:
        spoke(estate)
        rule(estate, "ecr.eu-west-1.amazonaws.com")
        rule(estate, f"notdkr.ecr.{REGION}.amazonaws.com")
        only(diagnosed(estate, of_manifest(estate, "context deadline exceeded")), "vpc_endpoint_missing")

    @pytest.mark.parametrize(
        "action",
        [
            "route53profiles:ListProfileAssociations",
            "route53resolver:ListResolverRuleAssociations",
            "route53:ListHostedZonesByVPC",
        ],
    )
    def test_what_cannot_be_read_may_lead_there(self, estate: NetworkEstate, action: str) -> None:
        spoke(estate)
        diagnosis = diagnosed(estate, of_manifest(estate, "context deadline exceeded"), denied=[action])
        assert causes(diagnosis) == []
        assert f"{action} failed: AccessDenied" in opened(diagnosis)["vpc_endpoint_missing"]

    def test_rules_that_are_not_listed_are_read_one_by_one(self, estate: NetworkEstate) -> None:
        spoke(estate)
        made = rule(estate, REGISTRIES)
        message, listing = of_manifest(estate, "context deadline exceeded"), "route53resolver:ListResolverRules"
        assert made in opened(diagnosed(estate, message, denied=[listing]))["vpc_endpoint_missing"]
        assert made in opened(diagnosed(estate, message, denied=[listing], code=EMPTY))["vpc_endpoint_missing"]
        both = diagnosed(estate, message, denied=[listing, "route53resolver:GetResolverRule"])
        assert causes(both) == []
        assert "route53resolver:GetResolverRule failed: AccessDenied" in opened(both)["vpc_endpoint_missing"]

    def test_an_emulator_without_profiles_has_none(
        self, estate: NetworkEstate, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """AWS would name the error, so the same answer of AWS leaves the way open."""
        spoke(estate)
        message, action = of_manifest(estate, "context deadline exceeded"), "route53profiles:ListProfileAssociations"
        of_aws = diagnosed(estate, message, denied=[action], code="404")
        assert causes(of_aws) == []
        assert f"{action} failed: 404" in opened(of_aws)["vpc_endpoint_missing"]
        monkeypatch.setenv("AWS_ENDPOINT_URL_ROUTE53PROFILES", estate.endpoint)
        only(diagnosed(estate, message, denied=[action], code="404"), "vpc_endpoint_missing")

    @pytest.mark.parametrize(
        "action", ["route53profiles:ListProfileAssociations", "route53resolver:ListResolverRuleAssociations"]
    )
    def test_a_service_that_fails_for_a_moment_may_have_rules(self, estate: NetworkEstate, action: str) -> None:
        spoke(estate)
        diagnosis = diagnosed(estate, of_manifest(estate, "context deadline exceeded"), denied=[action], code="500")
        assert causes(diagnosis) == []
        assert f"{action} failed: 500" in opened(diagnosis)["vpc_endpoint_missing"]

    def test_a_system_rule_keeps_one_registry_domain_and_the_api_stays_away(self, estate: NetworkEstate) -> None:
        spoke(estate)
        rule(estate, "amazonaws.com")
        rule(estate, REGISTRIES, kind="SYSTEM")
        diagnosis = diagnosed(estate, of_manifest(estate, "context deadline exceeded"))
        assert causes(diagnosis) == []
        assert "sends questions for amazonaws.com to 10.100.0.2" in opened(diagnosis)["vpc_endpoint_missing"]


class TestTheAddress:
    def test_an_address_that_a_dns_server_gave_leaves_the_vpcs_dns_open(self, estate: NetworkEstate) -> None:
        spoke(estate)
        estate.ec2.modify_vpc_attribute(VpcId=estate.vpc, EnableDnsSupport={"Value": False})
        diagnosis = diagnosed(estate, of_manifest(estate))
        assert causes(diagnosis) == []
        assert f"kubelet dialled {HUB}" in opened(diagnosis)["vpc_dns_disabled"]
        # Without an address nobody says that a name was resolved.
        assert "vpc_dns_disabled" in causes(diagnosed(estate, of_manifest(estate, "context deadline exceeded")))

    def test_a_spoke_with_a_nat_gateway_is_not_without_fault(self, estate: NetworkEstate) -> None:
        estate.behind_nat()
        gateway = transit_gateway(estate)
        estate.node()
        diagnosis = diagnosed(estate, of_manifest(estate))
        assert causes(diagnosis) == []
        assert gateway in opened(diagnosis)["no_route_to_ecr"]
        assert diagnosis.note == ""
        sound = diagnosed(estate, of_manifest(estate, "dial tcp 54.1.2.3:443: i/o timeout"))
        assert (causes(sound), sound.inconclusive) == ([], ())

    def test_an_ipv6_address_does_not_blame_a_vpc_that_has_ipv4_alone(self, estate: NetworkEstate) -> None:
        estate.behind_nat().node()
        diagnosis = diagnosed(
            estate, of_manifest(estate, "dial tcp [2600:1f18::1]:443: connect: network is unreachable")
        )
        assert causes(diagnosis) == []
        assert "2600:1f18::1" in opened(diagnosis)["no_route_to_ecr"]

    def test_no_route_to_the_very_address_is_certain(self, estate: NetworkEstate) -> None:
        spoke(estate)
        profile(estate)
        estate.unroute(estate.table_a, "10.0.0.0/8")
        finding = only(diagnosed(estate, of_manifest(estate)), "no_route_to_ecr")
        assert finding.resource.id.endswith(estate.a)
        assert HUB in finding.explanation
        assert finding.remediation.commands == ()
        assert HUB in finding.remediation.summary

    def test_a_nat_gateway_leads_to_no_private_address(self, estate: NetworkEstate) -> None:
        estate.behind_nat()
        estate.node()
        # Without a sign that the name leads there, its answer may be the fault, and the NAT gateway is none.
        alone = diagnosed(estate, of_manifest(estate))
        assert causes(alone) == []
        assert HUB in opened(alone)["no_route_to_ecr"]
        profile(estate)
        finding = only(diagnosed(estate, of_manifest(estate)), "no_route_to_ecr")
        assert estate.nat in finding.explanation
        # Its own subnet may have the route: a NAT gateway translates for networks behind a transit gateway, too.
        made = estate.ec2.create_transit_gateway()["TransitGateway"]["TransitGatewayId"]
        estate.route(estate.table_public, "10.0.0.0/8", TransitGatewayId=made)
        assert causes(diagnosed(estate, of_manifest(estate))) == []

    def test_a_group_that_does_not_let_the_very_address_out_is_certain(self, estate: NetworkEstate) -> None:
        spoke(estate)
        profile(estate)
        only_out_to(estate, "10.0.0.0/16", s3_prefix_list(estate))
        finding = only(diagnosed(estate, of_manifest(estate)), "security_group_blocks_egress")
        assert HUB in finding.explanation
        assert finding.evidence[0].startswith(f"kubelet dialled {HUB} for {HOST}")
        assert finding.remediation.commands == ()
        rule_out = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": f"{HUB}/32"}]}
        estate.ec2.authorize_security_group_egress(GroupId=estate.group, IpPermissions=[rule_out])
        assert causes(diagnosed(estate, of_manifest(estate))) == []

    def test_an_entry_that_denies_the_very_address_is_certain(self, estate: NetworkEstate) -> None:
        spoke(estate)
        acl = estate.network_acl(estate.a)
        for egress in (True, False):
            estate.entry(acl, 100, allow=True, egress=egress)
        assert causes(diagnosed(estate, of_manifest(estate))) == []
        estate.entry(acl, 50, allow=False, egress=True, cidr="10.100.0.0/16")
        only(diagnosed(estate, of_manifest(estate)), "network_acl_blocks_traffic")

    def test_groups_that_cannot_be_read_stay_open(self, estate: NetworkEstate) -> None:
        spoke(estate)
        diagnosis = diagnosed(estate, of_manifest(estate), denied=["ec2:DescribeSecurityGroups"])
        assert causes(diagnosis) == []
        assert "ec2:DescribeSecurityGroups" in opened(diagnosis)["security_group_blocks_egress"]

    def test_routes_that_cannot_be_read_stay_open(self, estate: NetworkEstate) -> None:
        spoke(estate)
        diagnosis = diagnosed(estate, of_manifest(estate), denied=["ec2:DescribeRouteTables"])
        assert causes(diagnosis) == []
        assert "ec2:DescribeRouteTables" in opened(diagnosis)["no_route_to_ecr"]

    def test_a_public_address_although_an_endpoint_takes_the_name(self, estate: NetworkEstate) -> None:
        estate.endpoints_only()
        estate.node()
        diagnosis = diagnosed(estate, of_manifest(estate, "dial tcp 54.1.2.3:443: i/o timeout"))
        assert causes(diagnosis) == []
        reason = opened(diagnosis)["no_route_to_ecr"]
        assert "54.1.2.3" in reason
        assert f"although private DNS of {estate.endpoints['ecr.dkr']} has the name" in reason
        assert "keeps an older answer" in reason

    def test_an_address_of_the_endpoint_decides_for_it(self, estate: NetworkEstate) -> None:
        estate.endpoints_only()
        estate.node()
        profile(estate)
        estate.close_ingress(estate.endpoint_group, estate.group)
        assert causes(diagnosed(estate, of_manifest(estate, "context deadline exceeded"))) == []
        (described,) = estate.ec2.describe_vpc_endpoints(VpcEndpointIds=[estate.endpoints["ecr.dkr"]])["VpcEndpoints"]
        (interface,) = estate.ec2.describe_network_interfaces(NetworkInterfaceIds=described["NetworkInterfaceIds"])[
            "NetworkInterfaces"
        ]
        message = of_manifest(estate, f"dial tcp {interface['PrivateIpAddress']}:443: i/o timeout")
        only(diagnosed(estate, message), "endpoint_security_group_blocks_ingress")

    def test_another_address_of_the_vpc_leaves_the_endpoints_causes_open(self, estate: NetworkEstate) -> None:
        estate.endpoints_only()
        estate.node()
        estate.close_ingress(estate.endpoint_group, estate.group)
        diagnosis = diagnosed(estate, of_manifest(estate, "dial tcp 10.0.77.7:443: connect: connection refused"))
        assert causes(diagnosis) == []
        assert "10.0.77.7" in opened(diagnosis)["endpoint_security_group_blocks_ingress"]

    def test_an_address_of_another_services_endpoint_is_no_proof_of_the_way(self, estate: NetworkEstate) -> None:
        estate.endpoints_only()
        estate.node()
        (described,) = estate.ec2.describe_vpc_endpoints(VpcEndpointIds=[estate.endpoints["ecr.api"]])["VpcEndpoints"]
        (interface,) = estate.ec2.describe_network_interfaces(NetworkInterfaceIds=described["NetworkInterfaceIds"])[
            "NetworkInterfaces"
        ]
        message = of_manifest(estate, f"dial tcp {interface['PrivateIpAddress']}:443: i/o timeout")
        diagnosis = diagnosed(estate, message)
        assert causes(diagnosis) == []
        assert f"a network interface of {estate.endpoints['ecr.api']}, which" in opened(diagnosis)["no_route_to_ecr"]

    @pytest.mark.parametrize("address", ["2600:1f18:24e6::1", "fd00:1::1"])
    def test_an_ipv6_address_proves_nothing_about_a_node_without_one(self, estate: NetworkEstate, address: str) -> None:
        """A client reports the first address that failed, which is not the one that has to work."""
        estate.behind_nat()
        estate.node()
        diagnosis = diagnosed(estate, of_manifest(estate, f"dial tcp [{address}]:443: connect: network is unreachable"))
        assert causes(diagnosis) == []
        assert f"kubelet dialled {address} " in opened(diagnosis)["no_route_to_ecr"]

    @pytest.mark.parametrize(
        "error",
        [
            f"read tcp 10.0.0.5:54321->{HUB}:443: read: connection reset by peer",
            f"read tcp 10.0.0.5:54321->{HUB}:443: i/o timeout",
            f"dial tcp [::ffff:{HUB}]:443: i/o timeout",
        ],
    )
    def test_other_words_for_the_same_address(self, estate: NetworkEstate, error: str) -> None:
        spoke(estate)
        diagnosis = diagnosed(estate, of_manifest(estate, error))
        assert causes(diagnosis) == []
        assert f"kubelet dialled {HUB} " in opened(diagnosis)["no_route_to_ecr"]

    def test_a_layer_from_an_s3_endpoint_of_the_hub(self, estate: NetworkEstate) -> None:
        estate.endpoints_only()
        transit_gateway(estate)
        estate.node()
        diagnosis = diagnosed(estate, of_layer(estate, BUCKET, DIALLED))
        assert causes(diagnosis) == []
        assert HUB in opened(diagnosis)["no_route_to_ecr"]


class TestNamesThatDoNotResolve:
    NO_HOST = f"dial tcp: lookup {HOST} on 10.0.0.2:53: no such host"

    def test_a_rule_outranks_the_endpoints_own_zone(self, estate: NetworkEstate) -> None:
        estate.endpoints_only()
        estate.node()
        made = rule(estate, REGISTRIES)
        transit_gateway(estate)
        diagnosis = diagnosed(estate, of_manifest(estate, self.NO_HOST))
        assert causes(diagnosis) == []
        assert made in opened(diagnosis)["vpc_dns_disabled"]
        assert "vpc_dns_disabled" in {each.cause for each in diagnosis.inconclusive}

    def test_a_rule_whose_targets_no_route_leads_to(self, estate: NetworkEstate) -> None:
        estate.endpoints_only()
        estate.node()
        rule(estate, REGISTRIES)
        finding = only(diagnosed(estate, of_manifest(estate, self.NO_HOST)), "no_route_to_ecr")
        assert finding.resource.id.rpartition("/")[2] in (estate.a, estate.b)
        assert "Questions for the registry's names do not get from" in finding.explanation
        assert "10.100.0.2" in finding.remediation.summary

    def test_a_rule_for_a_parent_does_not(self, estate: NetworkEstate) -> None:
        """Private DNS of an endpoint is a private hosted zone: no rule for a less specific domain outranks it."""
        estate.endpoints_only()
        estate.node()
        rule(estate, ".")
        estate.close_ingress(estate.endpoint_group, estate.group)
        message = of_manifest(estate, "context deadline exceeded")
        assert "endpoint_security_group_blocks_ingress" in causes(diagnosed(estate, message))

    def test_dns_that_is_on_and_answers_is_contradicted(self, estate: NetworkEstate) -> None:
        estate.behind_nat()
        estate.node()
        diagnosis = diagnosed(estate, of_manifest(estate, self.NO_HOST))
        assert causes(diagnosis) == []
        assert "DNS Firewall" in opened(diagnosis)["vpc_dns_disabled"]
        assert diagnosis.note == ""

    def test_dns_that_is_off_is_the_cause(self, estate: NetworkEstate) -> None:
        estate.behind_nat()
        estate.node()
        estate.ec2.modify_vpc_attribute(VpcId=estate.vpc, EnableDnsSupport={"Value": False})
        only(diagnosed(estate, of_manifest(estate, self.NO_HOST)), "vpc_dns_disabled")
        # Another server than Amazon's was asked: it does not matter whether Amazon's is on.
        asked = self.NO_HOST.replace("10.0.0.2", "10.9.9.9")
        diagnosis = diagnosed(estate, of_manifest(estate, asked))
        assert causes(diagnosis) == []
        assert "10.9.9.9" in opened(diagnosis)["vpc_dns_disabled"]

    @pytest.mark.parametrize("server", ["10.0.0.2", "169.254.169.253", "127.0.0.53", "[fd00:ec2::253]"])
    def test_amazons_server_and_the_nodes_own_resolver_are_no_other_server(
        self, estate: NetworkEstate, server: str
    ) -> None:
        estate.behind_nat()
        estate.node()
        estate.ec2.modify_vpc_attribute(VpcId=estate.vpc, EnableDnsSupport={"Value": False})
        asked = f"dial tcp: lookup {HOST} on {server}:53: server misbehaving"
        only(diagnosed(estate, of_manifest(estate, asked)), "vpc_dns_disabled")


class TestTheHost:
    CDN = "production.cloudflare.docker.com"

    @pytest.mark.parametrize("error", ["dial tcp 104.16.100.207:443: i/o timeout", "context deadline exceeded"])
    @pytest.mark.parametrize("in_route_table", [True, False])
    def test_a_layer_that_is_not_stored_yet_needs_the_internet(
        self, estate: NetworkEstate, error: str, *, in_route_table: bool
    ) -> None:
        estate.endpoints_only()
        estate.node()
        if not in_route_table:
            estate.delete_endpoint("s3")
            estate.gateway_endpoint(estate.table_b)
        finding = only(diagnosed(estate, of_layer(estate, self.CDN, error)), "no_route_to_ecr")
        assert self.CDN in finding.explanation
        assert finding.resource.id.endswith(estate.a)
        assert "create the endpoints" not in finding.remediation.summary
        assert finding.remediation.commands == ()

    def test_no_command_opens_a_subnet_that_may_be_closed_on_purpose(self, estate: NetworkEstate) -> None:
        estate.endpoints_only()
        estate.node()
        estate.route(estate.table_public, INTERNET, GatewayId=estate.igw)
        nat = estate.nat_gateway()
        message = of_layer(estate, self.CDN, "dial tcp 104.16.100.207:443: i/o timeout")
        finding = only(diagnosed(estate, message), "no_route_to_ecr")
        assert finding.remediation.commands == ()
        assert "so that ECR stores its layers" in finding.remediation.summary
        estate.route(estate.table_a, INTERNET, NatGatewayId=nat)
        assert causes(diagnosed(estate, message)) == []

    def test_behind_nat_the_storage_is_reached(self, estate: NetworkEstate) -> None:
        estate.behind_nat()
        estate.node()
        diagnosis = diagnosed(estate, of_layer(estate, self.CDN, "dial tcp 104.16.100.207:443: i/o timeout"))
        assert (causes(diagnosis), diagnosis.inconclusive) == ([], ())

    def test_a_token_from_a_fips_host_that_no_endpoint_serves(self, estate: NetworkEstate) -> None:
        estate.endpoints_only()
        estate.node()
        host = f"ecr-fips.{REGION}.amazonaws.com"
        message = of_manifest(estate).partition(": failed to do")[0] + (
            f': failed to do request: Post "https://{host}/": dial tcp 54.1.2.3:443: i/o timeout'
        )
        finding = only(diagnosed(estate, message), "vpc_endpoint_missing")
        assert host in finding.explanation
        assert finding.remediation.commands == ()
        # Without its address it is not known whether the endpoint holds the name.
        unknown = diagnosed(estate, message.replace("dial tcp 54.1.2.3:443: i/o timeout", "context deadline exceeded"))
        assert causes(unknown) == []
        assert host in opened(unknown)["vpc_endpoint_missing"]

    @pytest.mark.parametrize(
        ("host", "error"),
        [
            ("mirror.corp.example", "dial tcp 10.100.7.7:443: i/o timeout"),
            ("mirror.corp.example", "context deadline exceeded"),
            (f"sts.{REGION}.amazonaws.com", "context deadline exceeded"),
        ],
    )
    def test_a_host_of_which_the_way_is_not_known_leaves_it_open(
        self, estate: NetworkEstate, host: str, error: str
    ) -> None:
        estate.endpoints_only()
        transit_gateway(estate)
        estate.node()
        diagnosis = diagnosed(estate, of_manifest(estate, error).replace(f"https://{HOST}", f"https://{host}"))
        assert causes(diagnosis) == []
        assert host in opened(diagnosis)["no_route_to_ecr"]

    def test_a_mirror_leaves_the_registrys_own_way_open(self, estate: NetworkEstate) -> None:
        estate.node()
        message = of_manifest(estate, "context deadline exceeded").replace(f"https://{HOST}", "https://mirror.example")
        diagnosis = diagnosed(estate, message)
        assert causes(diagnosis) == []
        assert "mirror.example" in opened(diagnosis)["no_route_to_ecr"]


class TestTheTerminal:
    @pytest.fixture
    def answer(
        self,
        estate: NetworkEstate,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> Callable[[str], tuple[object, dict[str, Any]]]:
        """`diagnose --event` of a pod's failure with a message: the exit status and the answer."""
        for key, value in {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": REGION}.items():
            monkeypatch.setenv(key, value)

        def command(message: str) -> tuple[object, dict[str, Any]]:
            event = tmp_path / "event.json"
            event.write_text(pod_event(estate, message), encoding="utf-8")
            monkeypatch.setattr(sys, "argv", ["pull-responder", "diagnose", "--event", str(event), "--format", "json"])
            capsys.readouterr()
            with pytest.raises(SystemExit) as ended:
                main()
            (line,) = capsys.readouterr().out.splitlines()
            return ended.value.code, json.loads(line)

        return command

    def test_a_spoke_is_inconclusive(
        self, estate: NetworkEstate, answer: Callable[[str], tuple[object, dict[str, Any]]]
    ) -> None:
        gateway = spoke(estate)
        profile(estate)
        status, found = answer(of_manifest(estate))
        assert (status, found["findings"]) == (3, [])
        reason = next(each["reason"] for each in found["inconclusive"] if each["cause"] == "no_route_to_ecr")
        assert HUB in reason
        assert gateway in reason

    def test_a_spoke_with_a_nat_gateway_is_inconclusive(
        self, estate: NetworkEstate, answer: Callable[[str], tuple[object, dict[str, Any]]]
    ) -> None:
        estate.behind_nat()
        transit_gateway(estate)
        estate.node()
        assert answer(of_manifest(estate))[0] == 3

    def test_a_name_that_a_rule_sends_away_is_inconclusive(
        self, estate: NetworkEstate, answer: Callable[[str], tuple[object, dict[str, Any]]]
    ) -> None:
        estate.endpoints_only()
        estate.node()
        rule(estate, REGISTRIES)
        transit_gateway(estate)
        status, found = answer(of_manifest(estate, TestNamesThatDoNotResolve.NO_HOST))
        assert (status, found["findings"]) == (3, [])

    def test_a_layer_of_an_upstreams_storage_needs_the_internet(
        self, estate: NetworkEstate, answer: Callable[[str], tuple[object, dict[str, Any]]]
    ) -> None:
        estate.endpoints_only()
        estate.node()
        status, found = answer(of_layer(estate, TestTheHost.CDN, "dial tcp 104.16.100.207:443: i/o timeout"))
        assert (status, [each["cause"] for each in found["findings"]]) == (1, ["no_route_to_ecr"])
