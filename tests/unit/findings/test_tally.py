"""How far many problems reach together."""

from __future__ import annotations

from dataclasses import replace

from pull_responder.findings.problem import Names, Problem, iso
from pull_responder.findings.tally import Tally, reach_of
from tests.unit.findings.lives import NOON
from tests.unit.publish.examples import PRINCIPAL, PULL

FIRST = Problem("problem/a", count=3, first_seen=NOON, last_seen=NOON + 60, pull=PULL)


def test_a_problem_that_is_added_again_counts_as_it_is_now() -> None:
    tally = Tally()
    assert FIRST.id not in tally
    tally.add(FIRST)
    tally.add(replace(FIRST, count=5, last_seen=NOON + 90))
    assert FIRST.id in tally
    assert "problem/b" not in tally
    reach = tally.reach()
    assert (reach.events, reach.first_seen_at, reach.last_seen_at) == (5, iso(NOON), iso(NOON + 90))


def test_where_not_every_problem_is_added_no_count_is_exact() -> None:
    tally = Tally()
    tally.add(FIRST)
    assert tally.reach().more == ()
    tally.say_more()
    assert tally.reach().more == ("events", "pods", "nodes", "repositories", "principals", "clusters")


def test_a_count_that_is_too_low_stays_so_whatever_is_added() -> None:
    many = Names().add_all(["a", "b"], most=1)
    first = replace(FIRST, more=True, pods=many)
    assert reach_of([first, replace(FIRST, id="problem/b")]).more == ("events", "pods")
    assert reach_of([replace(FIRST, nodes=many), replace(FIRST, id="problem/b")]).more == ("nodes",)


def test_times_are_of_the_problems_that_have_failed_pulls() -> None:
    earlier = replace(FIRST, id="problem/b", count=1, first_seen=NOON - 60, last_seen=NOON - 30)
    asked = replace(FIRST, id="problem/c", count=0, first_seen=0, last_seen=NOON + 9_000)
    reach = reach_of([FIRST, earlier, asked])
    assert (reach.events, reach.first_seen_at, reach.last_seen_at) == (4, iso(NOON - 60), iso(NOON + 60))
    nothing = reach_of([asked])
    assert (nothing.events, nothing.first_seen_at, nothing.last_seen_at) == (0, None, None)


def test_repositories_and_principals_of_two_accounts_are_two() -> None:
    elsewhere = replace(PULL, registry_account="999999999999", principal=replace(PRINCIPAL, account="999999999999"))
    reach = reach_of([FIRST, replace(FIRST, id="problem/b"), replace(FIRST, id="problem/c", pull=elsewhere)])
    assert (reach.repository_count, reach.principal_count) == (2, 2)
    assert reach.principals == (f"{PRINCIPAL.account}/{PRINCIPAL.name}", f"999999999999/{PRINCIPAL.name}")
    unknown = replace(PULL, repository=None, principal=replace(PRINCIPAL, account=None))
    reach = reach_of([replace(FIRST, pull=unknown)])
    assert (reach.repository_count, reach.principals) == (0, (f"?/{PRINCIPAL.name}",))
    assert reach_of([replace(FIRST, pull=replace(PULL, principal=None))]).principal_count == 0


def test_pods_of_hundreds_of_problems_are_counted_once_and_exactly() -> None:
    def on(number: int) -> Problem:
        return replace(FIRST, id=f"problem/{number}", pods=Names().add_all([f"web-{number % 150}"]))

    for count, pods in ((99, 99), (100, 100), (101, 101), (300, 150)):
        reach = reach_of(map(on, range(count)))
        assert (reach.events, reach.pod_count, reach.node_count) == (3 * count, pods, 0)
        assert reach.pods == tuple(f"web-{number}" for number in range(20))


def of_member(name: str, account: str, region: str, cluster: str | None, *pods: str) -> Problem:
    """A problem that a member's cluster reported."""
    pull = replace(PULL, account=account, cluster_region=region, cluster=cluster)
    return replace(FIRST, id=f"problem/{name}", pull=pull, pods=Names().add_all(pods))


def test_pods_of_one_name_in_clusters_of_several_members_are_several() -> None:
    first = of_member("a", "222222222222", "us-east-1", "prod", "shop/web-1", "shop/web-2")
    others = [
        of_member("b", "333333333333", "us-east-1", "prod", "shop/web-1"),
        of_member("c", "222222222222", "eu-west-1", "prod", "shop/web-1"),
        of_member("d", "222222222222", "us-east-1", "dev", "shop/web-1"),
        replace(FIRST, id="problem/e", pods=Names().add_all(["shop/web-1"])),
    ]
    reach = reach_of([first, *others])
    assert (reach.pod_count, reach.pods) == (6, ("shop/web-1", "shop/web-2"))
    # Of one cluster, two causes or two images stop the same pods.
    again = replace(first, id="problem/f", pods=Names().add_all(["shop/web-2", "shop/web-3"]))
    assert reach_of([first, *others, again]).pod_count == 7
    tally = Tally()
    for each in (first, first, again, first):
        tally.add(each)
    assert tally.reach().pod_count == 3


def test_pods_of_our_own_account_are_told_apart_by_their_names_alone() -> None:
    """A forwarded event may name no cluster: it is about the pod that another signal names with its cluster."""
    pods = Names().add_all(["shop/web-1"])
    named = replace(FIRST, pods=pods, pull=replace(PULL, cluster="prod"))
    unnamed = replace(FIRST, id="problem/b", pods=pods, pull=replace(PULL, cluster=None))
    assert reach_of([named, unnamed]).pod_count == 1


def test_where_pods_of_a_member_are_too_many_the_count_still_says_so() -> None:
    full = replace(of_member("a", "222222222222", "us-east-1", "prod"), pods=Names().add_all(["x", "y"], most=1))
    assert (reach_of([full]).pod_count, reach_of([full]).more) == (1, ("pods",))


def test_a_problem_without_a_pull_has_its_events_alone() -> None:
    reach = reach_of([replace(FIRST, pull=None, cluster="prod")])
    assert (reach.events, reach.repository_count, reach.cluster_count) == (3, 0, 0)


def test_the_clusters_that_fail_most_come_first_each_with_its_failures() -> None:
    few = replace(FIRST, id="problem/b", count=2, cluster="a")
    most = replace(FIRST, id="problem/c", count=7, cluster="z")
    more = replace(FIRST, id="problem/d", count=4, cluster="m")
    tally = Tally()
    for each in (replace(few, count=1), few, most, more, replace(more, id="problem/e")):
        tally.add(each)

    reach = tally.reach(found_in="new")
    assert reach.clusters == ("m", "z", "a", "new")
    assert reach.cluster_events == (8, 7, 2, 0)
    assert reach.cluster_count == 4


def test_the_accounts_of_the_principals_are_counted_where_they_are_known() -> None:
    other = replace(PULL, principal=replace(PRINCIPAL, account="999999999999", name="other"))
    same = replace(PULL, principal=replace(PRINCIPAL, name="another"))
    unknown = replace(PULL, principal=replace(PRINCIPAL, account=None))
    problems = [FIRST, *(replace(FIRST, id=f"problem/{n}", pull=each) for n, each in enumerate((other, same, unknown)))]

    reach = reach_of(problems)
    assert (reach.principal_count, reach.account_count) == (4, 2)
