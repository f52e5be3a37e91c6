"""How ways over several accounts are shown: in text of all widths, JSON, the page, JUnit, SARIF, mail and ASFF."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from pull_responder.cli import answer
from pull_responder.cli.headline import fix_line
from pull_responder.findings.alert import Alert
from pull_responder.findings.notice import Edge, Notice
from pull_responder.findings.reach import Reach
from pull_responder.model.arn import Arn
from pull_responder.publish.as_text import body
from pull_responder.publish.asff import to_asff
from tests.integration.network.enterprise import GATEWAY, HUB, OUT, Enterprise
from tests.integration.network.estate import ACCOUNT, REGION
from tests.integration.network.test_command_line import run
from tests.integration.network.test_enterprise import BREAKS, IN_HUB, TGW, asked, sharing, whole
from tests.unit.page.parsed import Parsed

if TYPE_CHECKING:
    from pathlib import Path

    from pull_responder.findings.finding import Finding
    from tests.integration.network.test_command_line import Run

__all__ = ["run", "sharing", "whole"]  # fixtures

BY_HAND = "no route at the gateway"
WIDTHS = (40, 60, 80, 120, 200)


def hops(run: Run, whole: Enterprise, stage: str) -> list[dict[str, Any]]:
    (found,) = run("--instance", whole.spoke.instance, "--format", "json").objects
    (way,) = found["path"]["from"]
    (leg,) = [each for each in way["legs"] if each["stage"] == stage]
    assert (found["path"]["account"], found["path"]["vpc"]) == (ACCOUNT, whole.spoke.vpc)
    return list(leg["hops"])


def test_json_says_where_each_hop_is(whole: Enterprise, run: Run) -> None:
    places = [(each["resource"], (each["account"], each["vpc"])) for each in hops(run, whole, "manifest")]
    spoke, gateway, out = (None, None), (GATEWAY, None), (OUT, whole.out.vpc)
    expected = {
        f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com": spoke,
        whole.spoke.instance: spoke,
        whole.spoke.a: spoke,
        whole.spoke.table_a: spoke,
        whole.attachment: spoke,
        whole.entries["a"]: spoke,
        whole.spokes: gateway,
        whole.out.entry: out,
        whole.nat: out,
        whole.out.inner: out,
        whole.out.inner_table: out,
        whole.shared: gateway,
    }
    assert expected.items() <= dict(places).items()
    assert {place for _, place in places} == {spoke, gateway, out}


def test_json_says_where_the_hops_of_a_hub_are(sharing: Enterprise, run: Run) -> None:
    places = {(each["account"], each["vpc"]) for each in hops(run, sharing, "token")}
    assert places == {(None, None), (GATEWAY, None), (HUB, sharing.hub.vpc)}


def test_each_line_of_the_way_says_where_its_hop_is(whole: Enterprise, run: Run) -> None:
    BREAKS[BY_HAND].make(whole)
    BREAKS["no way back from the NAT gateway"].make(whole)
    told = run("--instance", whole.spoke.instance, "--path").out
    assert f"- transit gateway {whole.spokes} of account {GATEWAY}: failed: " in told
    assert f"- transit gateway {whole.attachment}: ok: " in told
    (way,) = re.findall("^Way .*$", run("--instance", whole.spoke.instance).out, re.MULTILINE)
    assert f"fails at transit gateway {whole.spokes} of account {GATEWAY}, from " in way


def test_what_is_proved_of_a_hop_is_told_once(whole: Enterprise, run: Run) -> None:
    lines = [line.strip() for line in run("--instance", whole.spoke.instance, "--path").out.splitlines()]
    token, manifest, layer = [
        next(number for number, line in enumerate(lines) if line.startswith(f"{stage}: "))
        for stage in ("token", "manifest", "layer")
    ]
    nat = f"- NAT gateway {whole.nat} in {whole.out.vpc} of account {OUT}: ok"
    said = {number: line for number, line in enumerate(lines) if line.startswith(nat)}
    first, *others = said
    assert token < first < manifest < others[0] < layer < others[1]
    assert said[first].startswith(f"{nat}: {whole.nat} is in state available")
    assert [said[number] for number in others] == [f"{nat}, as above"] * 2
    attachment = f"- transit gateway {whole.attachment}: ok, as above"
    assert lines[manifest:layer].count(attachment) == 1
    # The names differ, and so do S3's addresses.
    assert all(line.startswith("- name ") for line in (lines[manifest + 1], lines[layer + 1]))
    assert "as above" not in lines[manifest + 1] + lines[layer + 1]


def test_a_hop_in_an_egress_vpc_names_it(whole: Enterprise, run: Run) -> None:
    BREAKS["no way back from the NAT gateway"].make(whole)
    told = run("--instance", whole.spoke.instance, "--path").out
    assert f"- NAT gateway {whole.nat} in {whole.out.vpc} of account {OUT}: ok: " in told
    assert f"- route {whole.out.inner_table} in {whole.out.vpc} of account {OUT}: failed: " in told


@pytest.mark.parametrize("width", WIDTHS)
def test_the_first_lines_say_the_account_in_all_widths(
    whole: Enterprise, run: Run, monkeypatch: pytest.MonkeyPatch, width: int
) -> None:
    BREAKS[BY_HAND].make(whole)
    monkeypatch.setattr(answer, "terminal_width", lambda: width)
    lines = run("--instance", whole.spoke.instance, "--path").out.splitlines()
    first = " ".join(lines[:5] if width < 80 else lines[:2])
    assert f"HIGH: A transit gateway drops it ({whole.spokes})" in first
    assert f"By hand in account {GATEWAY}, {REGION}: Add a route for 0.0.0.0/0." in first
    # An id, an ARN or a host is one word, which is never broken.
    assert all(len(line) <= width for line in lines if len(line.split()) > 3)


@pytest.mark.parametrize("name", [*BREAKS, *(f"hub: {each}" for each in IN_HUB if each != "no route to the hub")])
def test_every_fault_says_whose_it_is(whole: Enterprise, name: str) -> None:
    at = name.removeprefix("hub: ")
    if at != name:
        whole.share_endpoints()
        whole.out.ec2.delete_route(RouteTableId=whole.out.entry_table, DestinationCidrBlock="0.0.0.0/0")
    broken = (BREAKS if at == name else IN_HUB)[at]
    broken.make(whole)
    (finding,) = asked(whole).findings
    where, _ = fix_line(finding)
    assert f"in account {broken.account}, {REGION}: " in where
    vpc = {OUT: f"{whole.out.vpc} of ", HUB: f"{whole.hub.vpc} of ", GATEWAY: ""}
    if broken.account != ACCOUNT:
        nodes = f"the nodes in {whole.spoke.vpc} of account {ACCOUNT}"
        line = f"{broken.resource(whole)} is in {vpc[broken.account]}account {broken.account}, {nodes}"
        assert line in finding.evidence
    assert f"account {broken.account}, region {REGION}" in mail(finding)
    stored = to_asff(finding, account=ACCOUNT, region=REGION, partition="aws", now=datetime.now(UTC))
    if broken.account != ACCOUNT and not finding.remediation.commands:
        assert stored["Remediation"]["Recommendation"]["Text"].endswith(f" In account {broken.account}.")
    assert stored["ProductFields"]["pull-responder/remediation/account"] == broken.account


def mail(finding: Finding) -> str:
    at = "2026-05-04T11:00:00Z"
    notice = Notice(edge=Edge.NEW, finding=finding, reach=Reach(events=1), at=at, opened_at=at)
    return body(Alert.alone(notice), room=32_000)


def test_what_is_done_by_hand_elsewhere_says_where_in_every_form(whole: Enterprise, run: Run) -> None:
    BREAKS[BY_HAND].make(whole)
    instance = whole.spoke.instance
    assert f"\nBy hand in account {GATEWAY}, region {REGION}\n" in run("--instance", instance, "--format", "junit").out
    (result,) = json.loads(run("--instance", instance, "--format", "sarif").out)["runs"][0]["results"]
    assert result["message"]["text"].endswith(f" This is for account {GATEWAY}, region {REGION}.")
    assert result["properties"]["account"] == GATEWAY


def test_the_page_names_the_account_of_each_box_elsewhere(whole: Enterprise, run: Run, tmp_path: Path) -> None:
    BREAKS[BY_HAND].make(whole)
    page = tmp_path / "page.html"
    run("--instance", whole.spoke.instance, "--report", str(page))
    found = Parsed(page.read_text(encoding="utf-8"))
    assert any(each == f"In account {GATEWAY}, region {REGION}, by hand." for each in found.texts("p"))
    assert {f"of {GATEWAY}", f"account {GATEWAY}"} <= set(found.texts("text"))
    assert any(f"transit gateway {whole.spokes} of account {GATEWAY}: broken" in each for each in found.texts("desc"))


def test_nothing_of_a_way_within_one_vpc_is_elsewhere(whole: Enterprise, run: Run) -> None:
    spoke = whole.spoke
    spoke.unroute(spoke.table_a)
    spoke.route(spoke.table_a, "0.0.0.0/0", NatGatewayId=spoke.nat_gateway())
    spoke.route(spoke.table_public, "0.0.0.0/0", GatewayId=spoke.igw)
    assert {(each["account"], each["vpc"]) for each in hops(run, whole, "token")} == {(None, None)}


def test_the_severity_and_id_are_of_the_owners_account(whole: Enterprise) -> None:
    BREAKS[BY_HAND].make(whole)
    (finding,) = asked(whole).findings
    arn = Arn.parse(finding.resource.id)
    assert arn
    assert (finding.cause, arn.account, finding.account) == (TGW, GATEWAY, GATEWAY)
    assert finding.is_mended_elsewhere
