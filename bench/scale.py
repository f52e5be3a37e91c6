"""At larger scale: 400 accounts, 2,000 clusters, a million refused pulls a day, by the deployed handlers.

`python -m bench.scale` plays a tenth of it, `python -m bench.scale --full` all of it, which takes half an hour. With
`--world quiet` it plays that world alone. For each world it prints what AWS is asked for a second beside what AWS
documents that it allows, what gives first, and what it costs by list price.

- quiet: a million refused pulls a day, by 500 problems that last.
- policy: a policy of the organization stops all clusters within a minute.
- stranger: somebody who pulls for no cluster is refused at one image after the other, 20 times a second. After five
  minutes a cluster's pull fails, too.

Measured are the calls of the deployed handlers, by account, and the units of the findings table. Time is that of
bench/lambda_time.py. Multiplied are the day (a quarter of an hour of `quiet`, which is as long as it takes until each
open finding was looked at again, and the ten minutes of `stranger`) and, where a tenth was played, what the hub has:
ten times as many events, as if all busiest seconds were the same one, and what the functions do by how many more of
their runs there can be at once, ten times at most. A member has as many problems in the tenth.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Final

from bench.environments import Environments, megabytes_of_members, seconds_for_clients
from bench.lambda_time import Deployment
from bench.limits import documented_limit
from bench.organization import ANSWERS, POLICY, Organization, denial, denial_of
from bench.roles import NOON, cause_of, messages, prepare
from bench.scale_report import Played, report
from bench.table_units import TableUnits
from pull_responder.emulator.emulated_aws import emulated_aws

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pull_responder.emulator.emulated_aws import EmulatedAws

ACCOUNTS: Final = 400
CLUSTERS: Final = 2_000
PROBLEMS: Final = 500
A_DAY: Final = 1_000_000
_DAY: Final = 86_400
_MINUTE: Final = 60
# CloudTrail's events come some minutes after the call.
_LATE: Final = 120
# Of five problems, three are roles that may not pull, one a repository's policy, one a stranger.
_OF_FIVE: Final = ("role", "role", "role", "repository", "stranger")
# A problem counts so many events in its own item, and all others on pages (findings/problem.py).
_EVENTS_BEFORE: Final = 700
# All problems begin in so many minutes, and have the events before in as many more.
_TO_BEGIN: Final = 4
_MEASURED: Final = 15
_POLICY_MINUTES: Final = 5
_STRANGER_MINUTES: Final = 10
_PULLS_OF_A_CLUSTER: Final = 10
# kubelet waits longer and longer, up to five minutes: ten pods fail twice a minute together.
_RETRIES_A_MINUTE: Final = 2
_STRANGER_A_SECOND: Final = 20
_IMAGES: Final = 1_000


@dataclass
class _Feed:
    """The messages that come each second.

    - `kinds`: make a message of a time each, in turn.
    - `rate`: how many come in the second that ends so many seconds after noon.
    - `one`: one more, and when it comes.
    - `in_a_row`: how many of each kind come before the next one does.
    - `come`: how many came, by second.
    """

    kinds: Sequence[Callable[[float], str]]
    rate: Callable[[float], float]
    one: tuple[float, Callable[[float], str]] | None = None
    in_a_row: int = 1
    come: Counter[int] = field(default_factory=Counter)
    _next: int = 0
    _owed: float = 0.0

    def __call__(self, now: float) -> list[str]:
        """Return what comes in the second before `now`."""
        self._owed += self.rate(now - NOON)
        bodies = []
        while self._owed >= 1:
            self._owed -= 1
            bodies.append(self.kinds[self._next // self.in_a_row % len(self.kinds)](now - _LATE))
            self._next += 1
        if self.one and now - NOON >= self.one[0]:
            bodies.append(self.one[1](now - _LATE))
            self.one = None
        self.come[int(now)] += len(bodies)
        return bodies


def quiet(aws: EmulatedAws, environments: Environments, share: int) -> Played:
    """A million refused pulls a day, by 500 problems that last."""
    clusters = PROBLEMS // share
    there = Organization(aws, ACCOUNTS // share, clusters)
    kinds: list[Callable[[float], str]] = []
    repositories = there.add_denied_repositories(clusters)
    denied = "with an explicit deny in a resource-based policy"
    for number, cluster in enumerate(there.all_clusters):
        kind = _OF_FIVE[number % 5]
        if kind == "stranger":
            there.add_stranger(cluster.account, f"build-{number}")
            kinds.append(partial(denial, cluster.account, f"build-{number}", "session"))
        elif kind == "repository":
            there.let_pull(cluster)
            kinds.append(partial(denial_of, cluster, repository=repositories[number], reason=denied))
        else:
            kinds.append(partial(denial_of, cluster))
    random.Random(5).shuffle(kinds)  # noqa: S311 -- the same order each time
    to_begin = _TO_BEGIN * _MINUTE
    feed = _Feed(kinds, lambda since: len(kinds) / to_begin if since <= to_begin else 0)
    deployment = _deploy(environments, feed)
    deployment.play(minutes=_TO_BEGIN + 1)
    # What came before: the events of each problem one after the other, so that few writes count them.
    before = len(kinds) * _EVENTS_BEFORE / to_begin
    deployment.feed = _Feed(kinds, lambda _: before, in_a_row=_EVENTS_BEFORE)
    deployment.play(minutes=_TO_BEGIN)
    feed = deployment.feed = _Feed(kinds, lambda _: A_DAY / share / _DAY)
    deployment.play(minutes=1)
    deployment.measure_from_here()
    begins = deployment.now
    deployment.play(minutes=_MEASURED)
    return Played(
        f"quiet: {A_DAY // share:,} refused pulls a day, {len(kinds)} problems in {ACCOUNTS // share} accounts",
        deployment,
        come=feed.come,
        share=share,
        begins=begins,
        multiplied=_DAY / (_MEASURED * _MINUTE),
        said=[
            f"measured: {_MEASURED} minutes of the first hour; a day is {_DAY // _MEASURED // _MINUTE} times that",
            f"before: all problems began within {_TO_BEGIN} minutes, and had {_EVENTS_BEFORE} events each",
        ],
    )


def policy(aws: EmulatedAws, environments: Environments, share: int) -> Played:
    """A policy of the organization stops all clusters within a minute."""
    there = Organization(aws, ACCOUNTS // share, CLUSTERS // share, may_pull=True)
    denied = f"with an explicit deny in a service control policy: {POLICY}"
    kinds = [partial(denial_of, each, reason=denied) for each in there.all_clusters]

    def rate(since: float) -> float:
        return len(kinds) * (_PULLS_OF_A_CLUSTER if since <= _MINUTE else _RETRIES_A_MINUTE) / _MINUTE

    feed = _Feed(kinds, rate)
    deployment = _deploy(environments, feed)
    deployment.play(minutes=_POLICY_MINUTES)
    diagnosed = max(deployment.diagnosed.values()) - NOON
    return Played(
        f"policy: a service control policy stops {CLUSTERS // share:,} clusters in {ACCOUNTS // share} accounts",
        deployment,
        come=feed.come,
        share=share,
        begins=NOON,
        audited=(len(kinds), _PULLS_OF_A_CLUSTER),
        said=[
            f"measured: its first {_POLICY_MINUTES} minutes",
            f"all {len(deployment.diagnosed):,} problems diagnosed within {diagnosed:,.0f} s",
            f"messages: {messages(deployment.told, NOON)}",
        ],
    )


def stranger(aws: EmulatedAws, environments: Environments, share: int) -> Played:
    """Somebody is refused at one image after the other, and then a cluster's pull fails, too."""
    there = Organization(aws, 2, 2)
    noisy, broken = there.all_clusters
    there.add_stranger(noisy.account, "scanner")
    images = [f"team/{each}" for each in range(_IMAGES // share)]
    kinds = [partial(denial, noisy.account, "scanner", "session", repository=each) for each in images]
    other = _STRANGER_MINUTES * _MINUTE / 2
    feed = _Feed(kinds, lambda _: _STRANGER_A_SECOND, (other, partial(denial_of, broken)))
    deployment = _deploy(environments, feed)
    deployment.play(minutes=_STRANGER_MINUTES)
    told = [at - NOON - other for at, each in deployment.told if cause_of(each) == "role_lacks_pull_permissions"]
    return Played(
        f"stranger: refused {_STRANGER_A_SECOND} times a second, at {len(images):,} images",
        deployment,
        come=feed.come,
        share=1,
        begins=NOON,
        multiplied=_DAY / (_STRANGER_MINUTES * _MINUTE),
        said=[
            f"measured: {_STRANGER_MINUTES} minutes; a day is {_DAY // _STRANGER_MINUTES // _MINUTE} times that",
            f"the cluster's failure among them told after {min(told, default=float('inf')):.0f} s",
            f"messages: {messages(deployment.told, NOON)}",
        ],
    )


WORLDS: Final = {each.__name__: each for each in (quiet, policy, stranger)}


def _deploy(environments: Environments, feed: _Feed) -> Deployment:
    return Deployment(
        NOON, limit_of=documented_limit, environments=environments, units=TableUnits(), feed=feed, answers=ANSWERS
    )


def play(world: str, share: int, seconds: dict[str, float]) -> Played:
    """Play a world in an emulated AWS of its own, at one `share`-th of its size."""
    with emulated_aws() as aws:
        prepare(aws, "findings", os.environ)  # type: ignore[arg-type]  # it is a mapping of strings
        aws.client("securityhub").enable_security_hub()
        return WORLDS[world](aws, Environments(seconds), share)


def main() -> None:
    """Play the worlds, and print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--full", action="store_true", help="all of it, not a tenth")
    parser.add_argument("--world", choices=WORLDS, action="append", help="this world only")
    chosen = parser.parse_args()
    seconds = seconds_for_clients()
    sys.stdout.write(
        f"Clients of a further account: {sum(seconds.values()) * 1000:.0f} ms of this processor, and"
        f" {megabytes_of_members():.0f} MB in a process that has read in 40 accounts\n"
    )
    for world in chosen.world or WORLDS:
        sys.stdout.write(report(play(world, 1 if chosen.full else 10, seconds)))
        sys.stdout.flush()


if __name__ == "__main__":
    main()
