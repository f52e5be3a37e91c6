"""Pulls that failed: where their node was, and which part of the way the symptom speaks of."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pull_responder.diagnosis import Diagnosis, diagnose
from pull_responder.facts.reader import Reader
from pull_responder.model.pull import Denial, PolicyType, Principal, PrincipalKind, PullFailure, Stage, Symptom
from pull_responder.pulls.path import PullPath, pull_path
from pull_responder.pulls.pull_facts import PullFacts
from tests.integration.network.estate import ACCOUNT, REGION, NetworkEstate, causes, only, opened

GONE = "i-0123456789abcdef0"


def failure(
    estate: NetworkEstate, symptom: Symptom = Symptom.TIMEOUT, *, node: str | None = None, session: str = ""
) -> PullFailure:
    """A pull by a session of the node role, or with `node` one of which only the node's name is known."""
    name = f"{estate.name}-node"
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/{session}"
    principal = Principal(PrincipalKind.ROLE, arn, "aws", ACCOUNT, name, session, estate.role)
    return PullFailure(
        symptom=symptom,
        stage=None,
        region=REGION,
        account=ACCOUNT,
        principal=principal if session else None,
        registry_account=ACCOUNT,
        repository=f"{estate.name}/app",
        tag="v1",
        cluster=estate.name,
        node=node,
    )


def look(estate: NetworkEstate, pull: PullFailure) -> tuple[Diagnosis, list[str]]:
    """The diagnosis, and the names of the places that the way begins at."""
    facts = PullFacts(Reader(estate.aws()))
    diagnosis = diagnose(pull, facts)
    path = pull_path(pull, facts)
    return diagnosis, [place.name for place, _ in path.paths] if isinstance(path, PullPath) else []


def test_the_session_names_the_node(estate: NetworkEstate) -> None:
    estate.behind_nat()
    node = estate.node()
    estate.unroute(estate.table_a)
    diagnosis, places = look(estate, failure(estate, session=node))
    only(diagnosis, "no_route_to_ecr")
    assert places == [node]


@pytest.mark.parametrize("by", ["id", "private DNS name"])
def test_the_nodes_name_finds_it(estate: NetworkEstate, by: str) -> None:
    estate.behind_nat()
    node = estate.node()
    found = estate.ec2.describe_instances(InstanceIds=[node])["Reservations"][0]["Instances"][0]
    estate.close_egress(estate.group)
    diagnosis, places = look(estate, failure(estate, node=node if by == "id" else found["PrivateDnsName"]))
    assert "security_group_blocks_egress" in causes(diagnosis)
    assert places[-1] == node


def test_a_node_that_is_gone_is_stood_in_for_by_its_node_group(estate: NetworkEstate) -> None:
    estate.behind_nat()
    estate.node_group("workers", template={"SecurityGroupIds": [estate.group]})
    estate.unroute(estate.table_b)
    diagnosis, places = look(estate, failure(estate, session=GONE))
    finding = only(diagnosis, "no_route_to_ecr")
    assert finding.resource.id.endswith(estate.b)
    assert places == [f"a node in {estate.a}", f"a node in {estate.b}"]


UNREAD = "ec2:DescribeInstances"


def look_without_instances(estate: NetworkEstate, pull: PullFailure) -> Diagnosis:
    return diagnose(pull, PullFacts(Reader(estate.aws(UNREAD))))


def test_a_node_that_cannot_be_read_is_not_taken_for_one_of_another_subnet(estate: NetworkEstate) -> None:
    """It is not gone, as far as is known: a fault of one of its group's subnets may have nothing to do with it."""
    estate.behind_nat()
    estate.node_group("workers", template={"SecurityGroupIds": [estate.group]})
    node = estate.node(group="workers")
    estate.unroute(estate.table_b)
    diagnosis = look_without_instances(estate, failure(estate, session=node))
    assert causes(diagnosis) == []
    assert UNREAD in opened(diagnosis)["no_route_to_ecr"]
    # What all of its group's subnets lack, it lacks wherever it is.
    estate.unroute(estate.table_a)
    only(look_without_instances(estate, failure(estate, session=node)), "no_route_to_ecr")


@pytest.mark.parametrize("symptom", [Symptom.TIMEOUT, Symptom.NOT_AUTHENTICATED, Symptom.UNKNOWN])
def test_what_is_a_nodes_own_does_not_pass_by_its_group(estate: NetworkEstate, symptom: Symptom) -> None:
    estate.behind_nat()
    estate.node_group("workers")
    node = estate.node(group="workers", metadata="disabled")
    diagnosis = look_without_instances(estate, failure(estate, symptom, session=node))
    own = {"instance_profile_missing", "instance_metadata_disabled", "security_group_blocks_egress"}
    assert causes(diagnosis) == []
    assert not own & set(diagnosis.passed)
    for cause in own & set(opened(diagnosis)):
        assert UNREAD in opened(diagnosis)[cause]


def test_a_fargate_pod_is_stood_in_for_by_its_only_profile(estate: NetworkEstate) -> None:
    estate.behind_nat()
    estate.fargate_profile("pods", estate.b)
    _, places = look(estate, failure(estate, node="fargate-ip-10-0-1-9.ec2.internal"))
    assert places == [f"a Fargate pod in {estate.b}"]


def test_a_node_that_nothing_tells_of_leaves_the_way_open(estate: NetworkEstate) -> None:
    estate.behind_nat()
    estate.node_group("workers")
    estate.node_group("others")
    diagnosis, places = look(estate, failure(estate, session=GONE))
    assert places == []
    assert causes(diagnosis) == []
    assert "its role belongs to node group others, node group workers" in opened(diagnosis)["no_route_to_ecr"]


def test_a_hybrid_nodes_way_begins_outside_aws(estate: NetworkEstate) -> None:
    pull = failure(estate, session="mi-0123456789abcdef0")
    diagnosis, _ = look(estate, pull)
    assert "outside AWS" in opened(diagnosis)["no_route_to_ecr"]


def test_no_token_speaks_of_the_way_to_the_api_alone(estate: NetworkEstate) -> None:
    estate.endpoints_only()
    node = estate.node()
    estate.delete_endpoint("s3")
    estate.delete_endpoint("ecr.dkr")
    pull = failure(estate, Symptom.NOT_AUTHENTICATED, session=node)
    diagnosis, _ = look(estate, pull)
    assert causes(diagnosis) == []
    estate.delete_endpoint("ecr.api")
    estate.interface_endpoint("ecr.dkr")
    only(look(estate, pull)[0], "vpc_endpoint_missing")


def test_the_way_is_the_one_to_the_host_that_the_image_names(estate: NetworkEstate) -> None:
    node = estate.node()
    for host in (f"{ACCOUNT}.dkr-ecr.{REGION}.on.aws", f"{ACCOUNT}.dkr.ecr-fips.{REGION}.amazonaws.com:443"):
        pull = replace(failure(estate, session=node), registry_host=host)
        path = pull_path(pull, PullFacts(Reader(estate.aws())))
        assert isinstance(path, PullPath)
        assert [leg.host for _, leg in path.leg(Stage.MANIFEST)] == [host.partition(":")[0]]


@pytest.mark.parametrize(
    ("symptom", "look_at"),
    [
        (Symptom.TIMEOUT, "curl -v https://{host}/v2/"),
        (Symptom.ACCESS_DENIED, "imagePullSecrets"),
        (Symptom.UNKNOWN, "journalctl -u kubelet"),
    ],
)
def test_an_open_way_does_not_explain_a_failure(estate: NetworkEstate, symptom: Symptom, look_at: str) -> None:
    """All that can be read is in order, which is not all that a pull needs. A way may have been repaired since."""
    estate.behind_nat()
    node = estate.node()
    pull = failure(estate, symptom, session=node)
    diagnosis, _ = look(estate, pull)
    assert (causes(diagnosis), diagnosis.note) == ([], "")
    if symptom is Symptom.TIMEOUT:
        assert diagnosis.inconclusive == ()
        reason = diagnosis.look_next
    else:
        ((cause, reason),) = [(each.cause, each.reason) for each in diagnosis.inconclusive]
        assert cause == "pull_failing_unexplained"
    assert look_at.format(host=f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com") in reason
    # With AWS's own words about something that can be read, it is known that it was repaired since.
    denied = Denial("ecr:BatchGetImage", pull.repository_arn or "", "no", PolicyType.IDENTITY)
    diagnosis, _ = look(estate, replace(pull, symptom=Symptom.ACCESS_DENIED, denial=denied))
    assert (causes(diagnosis), diagnosis.inconclusive) == ([], ())
    assert "has changed since" in diagnosis.note


@pytest.mark.parametrize("symptom", [Symptom.KUBELET_THROTTLED, Symptom.CANCELED])
def test_what_explains_itself_leaves_nothing_open(estate: NetworkEstate, symptom: Symptom) -> None:
    estate.behind_nat()
    diagnosis, _ = look(estate, failure(estate, symptom, session=estate.node()))
    assert (causes(diagnosis), diagnosis.inconclusive) == ([], ())


def test_a_refusal_is_not_explained_by_the_way(estate: NetworkEstate) -> None:
    estate.behind_nat()
    node = estate.node()
    estate.unroute(estate.table_a)
    diagnosis, _ = look(estate, replace(failure(estate, session=node), symptom=Symptom.ACCESS_DENIED))
    assert causes(diagnosis) == []
    assert "no_route_to_ecr" not in {*diagnosis.passed, *opened(diagnosis)}
