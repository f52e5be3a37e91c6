"""A digest's findings by cause: how many there are of each, how severe, and which for example.

All formats of a digest begin with a line for each cause, so that one finding of another kind is not lost among many.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pull_responder.findings.alert import MOST_CAUSES, Alert
from pull_responder.findings.notice import Edge
from pull_responder.model.verdict import Severity
from pull_responder.publish.attributes import sort_by_severity
from pull_responder.publish.changes import fixed_by
from pull_responder.publish.digest_hit import in_clusters
from pull_responder.publish.faults import fault
from pull_responder.publish.telling import WORDS, ended, how_known, is_of_responder
from pull_responder.publish.text import number_of, resource_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pull_responder.findings.finding import Finding
    from pull_responder.findings.notice import Notice
    from pull_responder.publish.telling import Say

EXAMPLES: Final = 3
_PAIR: Final = 2
_PART: Final = "in part"
_IN_PART: Final = f"{WORDS[Edge.RESOLVED]} {_PART}"
TIMES: Final = "\N{MULTIPLICATION SIGN}"


@dataclass(frozen=True, slots=True)
class OfCause:
    """The notices of one cause, at least one, the most severe first; those of what is resolved behind the others.

    Of what is resolved, that comes first whose pulls another cause still stops.
    """

    cause: str
    notices: tuple[Notice, ...]

    @property
    def worst(self) -> Finding:
        """Its most severe finding that is open, if one is."""
        return self.notices[0].finding

    @property
    def severity(self) -> Severity:
        """The highest severity of its findings."""
        return max((each.finding.severity for each in self.notices), key=lambda each: each.rank)

    @property
    def count(self) -> int:
        """How many findings it has."""
        return len(self.notices)

    @property
    def examples(self) -> tuple[str, ...]:
        """The short names of the resources of its first few findings."""
        names = dict.fromkeys(resource_name(each.finding.resource.id) for each in self.notices)
        return tuple(names)[:EXAMPLES]

    @property
    def times(self) -> str:
        """The number of its findings, if there are several, after the cause's name."""
        return f" {TIMES} {self.count}" if self.count > 1 else ""

    @property
    def is_resolved(self) -> bool:
        """Whether all of its findings are resolved."""
        return self.notices[0].edge is Edge.RESOLVED

    @property
    def left(self) -> list[Finding]:
        """The findings of other causes that still stop the pulls of what is resolved, the worst first."""
        found = {each.id: each for notice in self.notices if notice.is_in_part for each in notice.others}
        return sorted(found.values(), key=lambda each: (-each.severity.rank, each.cause, each.id))

    @property
    def left_count(self) -> int:
        """How many causes of `left` there are at least: of one finding, no more than `MOST_CAUSES` are named."""
        of_one = [len(each.others) + each.unnamed for each in self.notices if each.is_in_part]
        return max([len(self.left), *of_one])

    @property
    def to_mend(self) -> Finding | None:
        """The worst finding that people have to do something about; None if nothing that is known is left."""
        return next(iter(self.left), None) if self.is_resolved else self.worst

    @property
    def edges(self) -> str:
        """How many of its notices say what; empty if all of them say that a finding is new."""
        numbers = Counter(change(each) for each in sorted(self.notices, key=_place))
        if set(numbers) == {WORDS[Edge.NEW]}:
            return ""
        has_resolved = WORDS[Edge.RESOLVED] in numbers
        words = {each: _PART if has_resolved and each == _IN_PART else each for each in numbers}
        return ", ".join(f"{number} {words[word]}" for word, number in numbers.items())


def by_cause(notices: Sequence[Notice]) -> list[OfCause]:
    """Return `notices` by cause: the cause with the most severe finding first, then that with the most findings.

    What is resolved stands behind what is open: there is less to do about it.
    """
    found: dict[str, list[Notice]] = {}
    for each in sorted(sort_by_severity(notices), key=lambda each: (each.edge is Edge.RESOLVED, not each.others)):
        found.setdefault(each.finding.cause, []).append(each)
    causes = [OfCause(cause, tuple(each)) for cause, each in found.items()]
    return sorted(
        causes, key=lambda each: (each.to_mend is None, each.is_resolved, -each.severity.rank, -each.count, each.cause)
    )


def change(notice: Notice) -> str:
    """Return the word for what has changed."""
    return _IN_PART if notice.is_in_part else WORDS[notice.edge]


def how_many_ended(notices: Sequence[Notice]) -> str:
    """Return how many of `notices`, all resolved and some only in part, are which: "1 resolved, 1 in part"."""
    in_part = sum(each.is_in_part for each in notices)
    whole = len(notices) - in_part
    return f"{whole} resolved, {in_part} {_PART}" if whole else f"{in_part} resolved {_PART}"


def headline(notices: Sequence[Notice], say: Say) -> str:
    """Return how many findings of how many causes a digest tells, in which clusters, and how many are not over."""
    causes = number_of(len({each.finding.cause for each in notices}), "cause")
    said = f"{len(notices)} {kind(notices)} of {causes}{in_clusters(notices, say)}."
    return " ".join([said, *what_is_in_part(notices)])


def what_is_left(notices: Sequence[Notice]) -> Alert | None:
    """Return the worst of what still stops pulls, if all of `notices` are resolved and some only in part."""
    if any(each.edge is not Edge.RESOLVED for each in notices):
        return None
    in_part = [each for each in sort_by_severity(notices) if each.is_in_part]
    worst = max(in_part, key=lambda each: each.others[0].severity.rank, default=None)
    return Alert.alone(worst) if worst else None


def what_is_in_part(notices: Sequence[Notice]) -> list[str]:
    """Return how many of the pulls of what is resolved another cause still stops, and of how many that is not known."""
    every = len(notices)
    said = []
    if number := sum(each.is_in_part for each in notices):
        are = "is" if number == 1 else "are"
        said.append(f"{number} of {every} {are} resolved only in part: another cause still stops the pulls.")
    if unread := sum(each.edge is Edge.RESOLVED and not each.others_known for each in notices):
        said.append(f"Whether something else stops the pulls of {unread} of {every} could not be read.")
    return said


def _place(notice: Notice) -> tuple[int, bool]:
    return list(Edge).index(notice.edge), notice.is_in_part


def still_broken(of: OfCause, told: Sequence[Finding], say: Say) -> tuple[str, Finding] | None:
    """Return what still stops the pulls of findings that are resolved in part: the worst, and how many more.

    None if all of it is among the findings that are `told` already.
    """
    ids = {each.id for each in told}
    new = [each for each in of.left if each.id not in ids]
    if not new:
        return None
    more = of.left_count - sum(each.id in ids for each in of.left) - 1
    return f"Still broken: {fault(new[0], say)}" + (f", and {number_of(more, 'more cause')}" if more else ""), new[0]


def how_one_ended(of: OfCause, say: Say) -> Iterator[str]:
    """Yield how the first finding of `of` ended, who changed its resource before that, and how it is known."""
    first = Alert.alone(next((each for each in of.notices if not each.is_in_part), of.notices[0]))
    over, *others = ended(first, say)
    yield f"{over} Another cause still stops its pulls." if first.is_in_part else over
    yield from others
    yield from fixed_by(first, say)[-1:]
    yield from how_known(of.notices, known=all(each.others_known for each in of.notices))


def first_of(causes: Sequence[OfCause]) -> str:
    """Return " first" for what to do about the worst of `causes`, if there is something else to do."""
    return " first" if sum(_asks(each) for each in causes) > 1 else ""


def _asks(of: OfCause) -> int:
    """Return how many things there are to do about `of`."""
    if not of.is_resolved:
        return sum(each.edge is not Edge.RESOLVED for each in of.notices)
    return of.left_count if of.left else 0


def each_to_mend(causes: Sequence[OfCause]) -> list[Finding]:
    """Return what there is to do something about, if it is several things and each has a cause of its own."""
    found = [each.to_mend for each in causes if each.to_mend]
    is_all = sum(_asks(each) for each in causes) == len(found) == len({each.id for each in found})
    return found if is_all and 1 < len(found) <= MOST_CAUSES else []


def how_many_fixes(causes: Sequence[OfCause]) -> list[str]:
    """Return how many fixes are needed, and whether the same pods wait for several; empty if one fix is enough.

    Of what is resolved in part, `still_broken` says it.
    """
    number = sum(_asks(each) for each in causes)
    if number <= 1 or causes[0].is_resolved:
        return []
    every = "Both fixes are" if number == _PAIR else f"All {number} fixes are"
    several = "both" if number == _PAIR else "several"
    open_ones = (notice for each in causes for notice in each.notices if notice.edge is not Edge.RESOLVED)
    stopped = [frozenset(each.reach.pods) for each in open_ones]
    if sum(map(len, stopped)) > len(set().union(*stopped)):
        return [f"{every} needed: {'the same' if len(set(stopped)) == 1 else 'some'} pods wait for {several}."]
    return [f"{every} needed, each for its own failure. A pod may wait for {several}."]


def kind(notices: Sequence[Notice]) -> str:
    """Return what a digest is about, in the number of `notices`."""
    edges = {each.edge for each in notices}
    one = len(notices) == 1
    if edges == {Edge.RESOLVED}:
        return "resolved finding" if one else "resolved findings"
    if edges == {Edge.NEW} and not any(is_of_responder(each.finding) for each in notices):
        return "new pull failure" if one else "new pull failures"
    return "finding" if one else "findings"
