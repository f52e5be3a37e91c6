"""The order of diagnoses: no kind, cluster, namespace, role or pod delays another one, however much it brings."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from pull_responder.model.pull import Denial, PolicyType, Principal, PrincipalKind, PullFailure, Stage, Symptom
from pull_responder.responder.order import Waiting, in_order, is_denial

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

ACCOUNT = "111111111111"


def role(name: str) -> Principal:
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/i-0123456789abcdef0"
    return Principal(PrincipalKind.ROLE, arn, "aws", ACCOUNT, name)


def denied(name: str, *, policy: PolicyType = PolicyType.IDENTITY, action: str = "ecr:BatchGetImage") -> PullFailure:
    denial = Denial(action, "*", "User is not authorized", policy)
    return PullFailure(Symptom.ACCESS_DENIED, None, "us-east-1", principal=role(name), denial=denial)


def of_pod(
    pod: str, *, namespace: str = "shop", cluster: str = "prod", symptom: Symptom = Symptom.NOT_FOUND, tag: str = "v1"
) -> PullFailure:
    return PullFailure(symptom, Stage.MANIFEST, "us-east-1", cluster=cluster, namespace=namespace, pod=pod, tag=tag)


def lined_up(pulls: Sequence[PullFailure]) -> list[Waiting]:
    return [Waiting(f"problem/{number:05}", float(number), pull) for number, pull in enumerate(pulls)]


pulls = st.one_of(
    st.none(),
    st.builds(
        denied,
        st.sampled_from(["one", "two", "three"]),
        policy=st.sampled_from(PolicyType),
        action=st.sampled_from(["ecr:BatchGetImage", "ecr:GetAuthorizationToken"]),
    ),
    st.builds(
        of_pod,
        st.sampled_from(["a", "b", "c"]),
        namespace=st.sampled_from(["shop", "pay"]),
        cluster=st.sampled_from(["prod", "test"]),
        symptom=st.sampled_from([Symptom.NOT_FOUND, Symptom.TIMEOUT, Symptom.ACCESS_DENIED]),
    ),
)
lines = st.lists(pulls, max_size=60).map(lambda each: [Waiting(f"p{n}", float(n), pull) for n, pull in enumerate(each)])


@given(lines, st.randoms())
def test_each_is_there_once_and_the_order_of_arrival_in_the_list_does_not_matter(
    waiting: list[Waiting], chance: random.Random
) -> None:
    ordered = in_order(waiting)
    assert sorted(each.id for each in ordered) == sorted(each.id for each in waiting)
    shuffled = list(waiting)
    chance.shuffle(shuffled)
    assert in_order(shuffled) == ordered


@given(lines)
def test_of_each_five_four_are_denials_as_long_as_both_wait(waiting: list[Waiting]) -> None:
    left = [is_denial(each.pull) for each in in_order(waiting)]
    while any(left) and not all(left):
        turn, left = left[:5], left[5:]
        assert turn == sorted(turn, reverse=True)
        assert turn[:4] == [True] * 4 or not any(left)
        assert not turn[4:] or turn[4] is False


def test_a_flood_of_denials_leaves_every_fifth_place_to_what_pods_report() -> None:
    flood = lined_up([denied(f"node-{number}") for number in range(1_000)])
    real = [Waiting(f"problem/real-{number}", 2_000.0 + number, of_pod(f"web-{number}")) for number in range(3)]
    ordered = in_order([*flood, *real])
    assert [ordered.index(each) for each in real] == [4, 9, 14]


@given(lines)
def test_of_equals_the_oldest_is_first(waiting: list[Waiting]) -> None:
    ordered = in_order(waiting)
    for pull in {each.pull for each in waiting}:
        times = [each.since for each in ordered if each.pull == pull]
        assert times == sorted(times)


@given(lines, st.integers(0, 400), st.sampled_from(["real", "a"]))
def test_no_number_of_images_of_one_pod_takes_more_than_every_other_turn(
    waiting: list[Waiting], number: int, pod: str
) -> None:
    # All of them are older than what else waits.
    flood = [
        Waiting(f"flood{at}", -1_000.0 + at, of_pod("flood", namespace="made-up", tag=f"v{at}")) for at in range(number)
    ]
    real = Waiting("real", 100.0, of_pod(pod, namespace="pay", cluster="test", symptom=Symptom.TIMEOUT))
    alone = [each.id for each in in_order([*waiting, real])]
    among = [each.id for each in in_order([*waiting, *flood, real])]
    before = alone.index("real")
    assert among.index("real") <= 2 * before + 1


def test_a_denial_is_first_whatever_a_pod_made_up_before() -> None:
    made_up = lined_up([of_pod("evil", tag=f"v{number}") for number in range(400)])
    real = Waiting("problem/real", 1_000.0, denied("node"))
    assert in_order([*made_up, real])[0] == real


def test_another_pod_of_the_same_namespace_is_second() -> None:
    made_up = lined_up([of_pod("evil", tag=f"v{number}") for number in range(400)])
    real = Waiting("problem/real", 1_000.0, of_pod("web"))
    assert in_order([*made_up, real]).index(real) == 1


def test_one_role_that_asks_for_everything_does_not_delay_other_roles() -> None:
    asking = lined_up([replace(denied("stranger"), repository=f"made-up/{number}") for number in range(400)])
    real = [Waiting(f"problem/real-{number}", 1_000.0 + number, denied(f"node-{number}")) for number in range(3)]
    assert [in_order([*asking, *real]).index(each) for each in real] == [1, 2, 3]


def test_a_denial_for_another_reason_is_among_the_first_of_a_thousand() -> None:
    storm = lined_up([denied(f"node-{number}", policy=PolicyType.SERVICE_CONTROL) for number in range(1_000)])
    other = Waiting("problem/other", 2_000.0, denied("build", policy=PolicyType.IDENTITY))
    assert in_order([*storm, other]).index(other) == 1


def test_what_a_node_quotes_is_no_record_of_aws() -> None:
    pull = denied("node")
    assert pull.denial is not None
    quoted = replace(pull, denial=replace(pull.denial, quoted=True))
    made_up = Waiting("problem/quoted", 0.0, quoted)
    real = Waiting("problem/real", 1.0, denied("node", policy=PolicyType.BOUNDARY))
    assert in_order([made_up, real]) == [real, made_up]


def test_what_cannot_be_read_has_one_share_and_is_last_among_equals_in_age() -> None:
    unknown = [Waiting(f"problem/unknown-{number}", float(number)) for number in range(5)]
    real = Waiting("problem/real", 10.0, of_pod("web"))
    assert in_order([*unknown, real]).index(real) == 1
