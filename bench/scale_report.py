"""What a play of bench/scale.py came to: calls beside limits, what gives first, and money. It has 100 columns."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from math import ceil
from typing import TYPE_CHECKING, Final

from bench import limits, prices
from bench.audit_stream import megabytes_a_second
from bench.environments import MEMORY
from pull_responder.emulator.emulated_aws import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from bench.lambda_time import Deployment, Ran
    from bench.table_units import TableUnits

# Lambda asks a queue with five long polls of twenty seconds at a time (Lambda Developer Guide, "Configuring scaling
# behavior for SQS event source mappings"; SQS Developer Guide, "Amazon SQS short and long polling"). Two queues.
_POLLS_A_SECOND: Final = 2 * 5 / 20
_OF_A_BATCH: Final = 10
_WIDTH: Final = 42
_MINUTE: Final = 60.0
_LAMBDA: Final = limits.MEGABYTES_OF_A_PROCESSOR / MEMORY
_RUNS: Final = {"diagnose": 10, "recheck": 5}
# What to do about a limit, by the row that gives first.
_SETTINGS: Final = {
    "runs of diagnose": "max_concurrency of diagnose, in infra/finding_function.py: what comes meanwhile waits",
    "runs of recheck": "max_concurrency of recheck, in infra/finding_function.py; recheckMinutes looks less often",
    "cloudtrail LookupEvents": "lookUpChanges: false tells no longer who changed it; nothing else waits for it",
    "securityhub": "securityHub: false; findings that are refused are imported later",
    "table": "none: a table can be warmed (dynamodb update-table --warm-throughput); what it refuses comes again",
    "events": "a higher quota of EventBridge (Service Quotas); what is throttled is retried for a day",
    "messages": "batchSize; a message waits in the queue for two weeks",
    "stream": "a stream on demand grows by itself; CloudWatch Logs sends for a day what does not fit",
    "sts": "a higher quota of STS (Service Quotas)",
}


@dataclass
class Played:
    """A world that was played, and is over. All that its deployment has counted is from `begins` on.

    - `come`: the events by second.
    - `said`: lines about what came of it.
    - `multiplied`: how often that time is in a day; 0 if a day has it once.
    - `share`: which part of the world was played, as 10 for a tenth.
    - `audited`: the clusters whose audit logs are sent, and of how many pods each at once.
    """

    title: str
    deployment: Deployment
    come: Mapping[int, int]
    begins: float
    said: Sequence[str]
    multiplied: float = 0.0
    share: int = 1
    audited: tuple[int, int] | None = None

    @property
    def length(self) -> float:
        """The seconds since `begins`."""
        return self.deployment.now - self.begins

    @property
    def events(self) -> dict[int, int]:
        """The events that came since `begins`, by second."""
        return {at: number for at, number in self.come.items() if at > self.begins}

    @property
    def told(self) -> int:
        """How many messages were sent since `begins`."""
        return sum(at >= self.begins for at, _ in self.deployment.told)

    @property
    def units(self) -> TableUnits:
        """The units of the findings table."""
        if self.deployment.units is None:
            raise AssertionError("nobody counted the table's units")
        return self.deployment.units


@dataclass(frozen=True, slots=True)
class Row:
    """A line: the mean and the busiest second, the busiest of the whole world, what AWS allows, and the part used."""

    what: str
    mean: float
    busiest: float
    whole: float
    allowed: str
    used: float
    refused: int = 0

    def __str__(self) -> str:
        numbers = f"{self.mean:8,.1f}{self.busiest:8,.0f}{self.whole:8,.0f}{self.allowed:>18}{self.used:6.0%}"
        return f"  {self.what:{_WIDTH}}{numbers}{self.refused:8,}"


def _of_hub(  # noqa: PLR0913 -- a row's columns
    played: Played, what: str, mean: float, busiest: float, most: float, *, times: float | None = None
) -> Row:
    """Return the row of something that all accounts share, of which AWS allows `most`."""
    whole = busiest * (played.share if times is None else times)
    return Row(what, mean, busiest, whole, f"{most:,.0f}", whole / most)


@dataclass
class _Service:
    """The calls of one operation: of all accounts a second, and of the busiest account in its busiest second."""

    mean: float = 0.0
    busiest: int = 0
    where: str = ""
    refused: int = 0
    accounts: set[str] = field(default_factory=set)


def report(played: Played) -> str:
    """Return the table of a world."""
    rows = [*_way_in(played), *_runs(played), *_table(played), *_calls(played)]
    lines = [
        "",
        played.title,
        *(f"  {each}" for each in played.said),
        " " * _WIDTH
        + f"{'mean/s':>10}{'busiest':>8}{f'x {played.share}':>8}{'AWS allows':>18}{'used':>6}{'refused':>8}",
        *map(str, rows),
    ]
    first = max(rows, key=lambda each: (each.refused > 0, each.used))
    setting = next((text for key, text in _SETTINGS.items() if first.what.startswith(key)), "none")
    lines += [
        f"  gives first: {first.what} ({first.used:.0%} used, {first.refused:,} refused)",
        f"  setting: {setting}",
    ]
    lines += _work(played)
    lines += _money(played)
    return "".join(f"{each}\n" for each in lines)


def _more_runs(played: Played) -> float:
    """Return how many times as much the functions can do in a second of the whole world: so many runs there are."""
    return max(1.0, min(played.share, sum(_RUNS.values()) / max(1, _at_once(played.deployment.ran))))


def _way_in(played: Played) -> Iterator[Row]:
    events = played.events
    mean = sum(events.values()) / played.length
    yield _of_hub(played, "events on the hub's bus", mean, max(events.values()), limits.BUS_EVENTS)
    yield _of_hub(played, "messages in a queue", 0, played.deployment.most_waiting, limits.IN_FLIGHT)
    if played.audited:
        # Not played, but computed.
        clusters, pods = played.audited
        yield _of_hub(played, "stream of audit logs: records (computed)", 0, clusters, limits.STREAM_RECORDS)
        megabytes = megabytes_a_second(clusters, pods)
        yield _of_hub(played, "stream of audit logs: MB (computed)", 0, megabytes, limits.STREAM_MEGABYTES)


def _runs(played: Played) -> Iterator[Row]:
    for function, most in _RUNS.items():
        ran = [each for each in played.deployment.ran if each.function == function]
        mean, busiest = sum(map(_seconds, ran)) / played.length, _at_once(ran)
        whole = max(busiest, min(most, ceil(_busiest_minute(ran) * played.share)))
        yield Row(f"runs of {function} at once", mean, busiest, whole, f"{most}", whole / most)


def _table(played: Played) -> Iterator[Row]:
    units, times = played.units, _more_runs(played)
    for what, seconds, allowed in (
        ("table: write units", units.writes, limits.TABLE_WRITES_AT_FIRST),
        ("table: read units", units.reads, limits.TABLE_READS_AT_FIRST),
    ):
        mean, busiest = sum(seconds.values()) / played.length, max(seconds.values(), default=0)
        yield _of_hub(played, what, mean, busiest, allowed, times=times)
    for kind, what in (("id", "table: its hottest item"), ("due", "table: hottest index key")):
        key, busiest = units.hottest(kind)
        mean = sum(units.partitions.get(f"{kind} {key}", {}).values()) / played.length
        name, slash, _ = key.partition("/")
        name = f"{what} ({name}{slash and '/…'})"
        yield _of_hub(played, name, mean, busiest, limits.PARTITION_WRITES, times=times)


def _calls(played: Played) -> Iterator[Row]:
    """One row a service: the operation of which AWS allows least compared with what is called."""
    found: dict[tuple[str, str], _Service] = defaultdict(_Service)
    for (account, service, operation), seconds in played.deployment.by_account.items():
        known = found[service, operation]
        known.mean += sum(seconds.values()) / played.length
        known.refused += played.deployment.refused[account, service, operation]
        known.accounts.add(account)
        if max(seconds.values()) > known.busiest:
            where = "hub" if account == ACCOUNT else "member"
            known.busiest, known.where = max(seconds.values()), where
    worst: dict[str, Row] = {}
    for (service, operation), known in sorted(found.items()):
        limit = limits.documented_limit(service, operation)
        allowed = f"{limit.burst:,.0f} + {limit.a_second:,.0f}/s" + ("" if limit.documented else " ?")
        whole = known.busiest * (_more_runs(played) if known.where == "hub" else 1)
        drained = 1 - played.deployment.left(service, operation)
        used = max(drained, min(1.0, whole / limit.burst))
        name = f"{service} {operation}"
        name = f"{name[: _WIDTH - len(known.where) - 3]} ({known.where})"
        row = Row(name, known.mean, known.busiest, whole, allowed, used, known.refused)
        if service not in worst or (row.refused, row.used) > (worst[service].refused, worst[service].used):
            worst[service] = row
    yield from worst.values()


def _work(played: Played) -> Iterator[str]:
    ran = played.deployment.ran
    calls = Counter[str]()
    for (_, service, _), seconds in played.deployment.by_account.items():
        calls[service] += sum(seconds.values())
    environments = played.deployment.environments
    made = sum(environments.clients.values()) if environments else 0
    most = ", ".join(f"{service} {number:,}" for service, number in calls.most_common(5))
    yield f"  calls: {calls.total():,} ({most}); clients made: {made:,}"
    waited, worked = sum(each.seconds for each in ran), sum(each.processor for each in ran) * _LAMBDA
    yield (
        f"  runs: {len(ran):,}, {waited:,.0f} s by the clock, {worked:,.0f} s of the processor that {MEMORY} MB have;"
        f" {played.deployment.late} too long"
    )
    yield f"  writes that met another run's: {played.units.refused:,}; the table: {played.units.bytes / 1e6:.1f} MB"


def _money(played: Played) -> Iterator[str]:
    deployment, units, ran = played.deployment, played.units, played.deployment.ran
    events = sum(played.events.values())
    batches = sum(ceil(each.messages / _OF_A_BATCH) for each in ran)
    writes, reads = sum(units.writes.values()), sum(units.reads.values())
    costs = {
        "events between accounts": prices.CROSS_ACCOUNT_EVENTS.times(events),
        "queues": prices.QUEUE_REQUESTS.times(events + 2 * batches + _POLLS_A_SECOND * played.length),
        "functions": prices.FUNCTION_RUNS.times(len(ran))
        + prices.FUNCTION_GB_SECONDS.times(sum(map(_seconds, ran)) * MEMORY / 1024),
        "table": prices.TABLE_WRITES.times(writes) + prices.TABLE_READS.times(reads),
        "logs": prices.LOG_GIGABYTES.times(deployment.logged / 1e9),
        "Security Hub": prices.FINDINGS.times(deployment.imported),
        "SNS": prices.MESSAGES.times(played.told),
    }
    times = (played.multiplied or 1) * played.share
    each = ", ".join(f"{what} {cost * times:.2f}" for what, cost in costs.items())
    which = "a day" if played.multiplied else "in all"
    yield f"  dollars {which}, of the whole world: {sum(costs.values()) * times:.2f}"
    yield f"    {each}"


def _seconds(ran: Ran) -> float:
    """Return for how long Lambda bills a run: for its waiting, or for the processor if that takes longer."""
    return max(ran.seconds, ran.processor * _LAMBDA)


def _busiest_minute(ran: Sequence[Ran]) -> float:
    """Return how many runs there were at once in the busiest minute, on average."""
    minutes: dict[int, float] = defaultdict(float)
    for each in ran:
        at, ends = each.at, each.at + each.seconds
        while at < ends:
            until = min(ends, (at // _MINUTE + 1) * _MINUTE)
            minutes[int(at // _MINUTE)] += until - at
            at = until
    return max(minutes.values(), default=0) / _MINUTE


def _at_once(ran: Sequence[Ran]) -> int:
    """Return how many runs there were at once, at most."""
    changes = sorted([(each.at, 1) for each in ran] + [(each.at + each.seconds, -1) for each in ran])
    most = now = 0
    for _, change in changes:
        now += change
        most = max(most, now)
    return most
