"""The life of a finding: new, worse, resolved, back again. Pure: what happens next, given what has happened.

What people have to be told is recorded before it is told (`pending`), and crossed out afterwards; so a run that dies in
between leaves word of it, and the next one tells it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from pull_responder.checks import BY_ID
from pull_responder.events.eks_change import Inspection
from pull_responder.findings.finding import Finding
from pull_responder.findings.notice import Edge, Notice
from pull_responder.findings.problem import iso
from pull_responder.findings.reach import Reach
from pull_responder.model.pull import PullFailure

if TYPE_CHECKING:
    from pull_responder.settings import Settings

# A run that tells something has this long for it before another run takes over.
_CLAIM_SECONDS: Final = 60.0
_MOST_PROBLEMS: Final = 100
# A notice that cannot be sent is tried again after 1, 2, 4, … minutes, at last every hour.
_RETRY_SECONDS: Final = 60.0
_LONGEST_RETRY_SECONDS: Final = 3600.0
_HUB_RETRY_SECONDS: Final = 120.0
_DAY: Final = 86_400.0
# A stranger who is refused this often, or in this many ways (repositories, calls), is worth a mail.
_MANY: Final = 50
_VARIED: Final = 5


class State(StrEnum):
    """Whether the cause is there."""

    OPEN = "open"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Pending:
    """Something to be told, not before `due`.

    Until `claimed_until` the run `claimant` is at it, the `tries`-th one. `digest` is set where it is told together
    with others, `perhaps_heard` where an earlier run may have told it and did not live to say so.
    """

    edge: Edge
    because: str
    at: float
    due: float
    claimed_until: float = 0
    claimant: str = ""
    tries: int = 0
    digest: bool = False
    perhaps_heard: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """What was told last: when, how severe it was and how far it reached.

    `silently` where nobody heard of it: not severe enough, or suppressed.
    """

    at: float
    severity_rank: int
    step: int
    silently: bool = False


@dataclass(frozen=True, slots=True)
class Life:
    """A finding and what has become of it. Times are in seconds since 1970, 0 where they do not apply.

    `version` counts the writes of its item. `created_at` never changes, `opened_at` is since when it is open this time.
    `hub_at` is the time of the last update that Security Hub took, `hub_due` whether it has to have another, and
    `hub_retry_at` when to try again if this run does not come to it. `look_at` is when to look at it next.
    `inspection` is what was asked where no pull had failed.
    """

    finding: Finding
    state: State
    created_at: float
    opened_at: float
    version: int = 0
    reach: Reach = field(default_factory=Reach)
    problems: tuple[str, ...] = ()
    pending: Pending | None = None
    told: Told | None = None
    resolved_at: float = 0
    because: str = ""
    looked_at: float = 0
    look_at: float = 0
    hub_at: float = 0
    hub_due: bool = False
    hub_retry_at: float = 0
    inspection: Inspection | None = None

    @property
    def id(self) -> str:
        """The finding's id."""
        return self.finding.id

    @property
    def is_open(self) -> bool:
        """Whether the cause is there, as far as is known."""
        return self.state is State.OPEN

    @property
    def due_at(self) -> float | None:
        """When somebody has to turn to it; None when nobody has to."""
        times = [self.look_at] if self.is_open else []
        if self.pending:
            times.append(max(self.pending.due, self.pending.claimed_until))
        if self.hub_due:
            times.append(self.hub_retry_at)
        return min(times, default=None)


def found(  # noqa: PLR0913 -- keyword-only but for the two that it is about
    life: Life | None, finding: Finding, *, problem: str | None, reach: Reach, now: float, settings: Settings
) -> Life:
    """Return the life of `finding` after a diagnosis has found it, in failures that reach as far as `reach`."""
    look_at = now + settings.recheck_minutes * 60
    finding = _graded(finding, reach, problems=len({*(life.problems if life else ()), *filter(None, [problem])}))
    if life is None:
        pending = Pending(Edge.NEW, "", now, now)
        return Life(
            finding,
            State.OPEN,
            created_at=now,
            opened_at=now,
            reach=reach,
            problems=(problem,) if problem else (),
            pending=pending,
            looked_at=now,
            look_at=look_at,
            hub_due=True,
            hub_retry_at=now + _HUB_RETRY_SECONDS,
        )
    problems = life.problems
    if problem and problem not in problems:
        problems = (*problems, problem)[-_MOST_PROBLEMS:]
    life = replace(
        life,
        finding=replace(finding, pull=_completed(finding.pull, life.finding.pull)),
        problems=problems,
        reach=reach,
        looked_at=now,
        look_at=look_at,
        hub_due=True,
        hub_retry_at=now + _HUB_RETRY_SECONDS,
    )
    if not life.is_open:
        return _reopened(life, now)
    return _reminded(_grown(life, now), now, settings)


def _graded(finding: Finding, reach: Reach, *, problems: int) -> Finding:
    """Return the finding with the severity that its cause has once it recurs often or in many forms."""
    check = BY_ID.get(finding.cause)  # a later version may have recorded a cause that this one lacks
    if check is None or check.severity_if_repeated is None or (reach.events < _MANY and problems < _VARIED):
        return finding
    return replace(finding, severity=check.severity_if_repeated)


def _completed(pull: PullFailure, before: PullFailure) -> PullFailure:
    """Return the failure with what an earlier one of the same finding knew: AWS's words, or the pod."""
    if (pull.registry_account, pull.region, pull.repository) != (
        before.registry_account,
        before.region,
        before.repository,
    ):
        return pull
    if pull.denial is None and before.denial is not None:
        # What AWS said belongs together: who was refused, what, and in which words.
        pull = replace(
            pull, principal=before.principal, denial=before.denial, symptom=before.symptom, stage=before.stage
        )
    if pull.pod is None:
        pull = replace(pull, pod=before.pod, namespace=before.namespace, message=pull.message or before.message)
    return pull


def _reopened(life: Life, now: float) -> Life:
    reopened = replace(life, state=State.OPEN, resolved_at=0, because="")
    pending = life.pending
    if pending and pending.edge is Edge.RESOLVED and not (pending.claimant or pending.perhaps_heard):
        # Nobody has been told yet that it was over, so it has never been away.
        if life.told:
            return replace(reopened, pending=None)
        # A run was to tell of it, and did not say whether it has; better twice than never.
        again = Edge.NEW if life.opened_at == life.created_at else Edge.BACK
        return replace(reopened, pending=Pending(again, "", now, now, perhaps_heard=True))
    since = f"It had been resolved on {iso(life.resolved_at)}: {life.because}" if life.resolved_at else ""
    # If it is over again before this is told, people hear so: a run may not have told that it was over before.
    back = Pending(Edge.BACK, since, now, _after_others(life, now), perhaps_heard=pending is not None)
    return replace(reopened, opened_at=now, told=None, pending=back)


def _after_others(life: Life, due: float) -> float:
    """Return when something new is told: not while a run may be telling what was to be told before."""
    return max(due, life.pending.claimed_until) if life.pending else due


def _may_have_been_heard(life: Life) -> bool:
    """Whether people heard of it, or may have: who has claimed a notice may have sent it, and not said so yet."""
    pending = life.pending
    return (life.told is not None and not life.told.silently) or bool(
        pending and (pending.claimant or pending.perhaps_heard)
    )


def _grown(life: Life, now: float) -> Life:
    told = life.told
    if life.pending or told is None:
        return life
    severity = life.finding.severity
    grown = []
    if severity.rank > told.severity_rank:
        grown.append(f"its severity is now {severity.value}")
    if step(life.reach) > told.step:
        grown.append(f"it now reaches {life.reach.pod_count} pods and {life.reach.node_count} nodes")
    if not grown:
        return life
    return replace(life, pending=Pending(Edge.WORSE, f"Since it was last told, {' and '.join(grown)}.", now, now))


def step(reach: Reach) -> int:
    """Return how far something reaches in powers of ten of pods or nodes: one is 0, ten are 1, a hundred 2."""
    return len(str(max(reach.pod_count, reach.node_count, 1))) - 1


def passed(life: Life, *, because: str, now: float, settings: Settings) -> Life:
    """Return the life of a finding whose cause is gone. People hear of it after the hold-down, if they heard before."""
    if not life.is_open:
        return life
    due = _after_others(life, now + settings.hold_down_minutes * 60)
    return replace(
        life,
        state=State.RESOLVED,
        resolved_at=now,
        because=because,
        looked_at=now,
        hub_due=True,
        hub_retry_at=now + _HUB_RETRY_SECONDS,
        pending=Pending(Edge.RESOLVED, because, now, due) if _may_have_been_heard(life) else None,
    )


def looked(life: Life, *, now: float, settings: Settings) -> Life:
    """Return the life of a finding that was looked at and is still open, or that nobody could decide about.

    A finding open for long is told again, once in the time that the operator set.
    """
    return _reminded(replace(life, looked_at=now, look_at=now + settings.recheck_minutes * 60), now, settings)


def _reminded(life: Life, now: float, settings: Settings) -> Life:
    if not life.is_open or life.pending or life.told is None or not settings.reminder_hours:
        return life
    if now - life.told.at < settings.reminder_hours * 3600:
        return life
    return replace(life, pending=Pending(Edge.REMINDER, f"It has been open since {iso(life.opened_at)}.", now, now))


def claimed(life: Life, now: float, claimant: str, *, seconds: float = _CLAIM_SECONDS) -> Life:
    """Return the life with its pending notice taken on by the run `claimant`, if there is one to tell now.

    It has to be told within `seconds`, after which another run may take it over.
    """
    pending = life.pending
    if pending is None or pending.due > now or pending.claimed_until > now:
        return life
    taken = replace(
        pending,
        claimed_until=now + seconds,
        claimant=claimant,
        tries=pending.tries + 1,
        perhaps_heard=pending.perhaps_heard or bool(pending.claimant),
    )
    return replace(life, pending=taken)


def is_claimed_by(life: Life, claimant: str, now: float) -> bool:
    """Return whether the pending notice is for the run `claimant` to tell."""
    return life.pending is not None and life.pending.claimant == claimant and life.pending.claimed_until > now


def put_off(life: Life, due: float) -> Life:
    """Return the life with its pending notice left for a digest at `due`."""
    if life.pending is None:
        return life
    return replace(life, pending=replace(life.pending, claimed_until=0, claimant="", due=due, digest=True))


def delivered(life: Life, now: float, *, silently: bool = False, sent: Life | None = None) -> Life:
    """Return the life once its pending notice is out, or was kept back because nobody wants to hear it.

    `sent` is the finding as it was told, which others may have changed meanwhile. What is crossed out is what was told,
    and nothing newer; what has grown since is still to be told.
    """
    sent = sent or life
    if life.opened_at != sent.opened_at:
        return life
    # Once heard is heard: a reminder that is kept back does not undo the alert.
    unheard = silently and not (life.told and not life.told.silently)
    told = Told(now, sent.finding.severity.rank, step(sent.reach), silently=unheard)
    return replace(life, pending=None if _is_same(life.pending, sent.pending) else life.pending, told=told)


def _is_same(pending: Pending | None, sent: Pending | None) -> bool:
    if pending is None or sent is None:
        return pending is sent
    return (pending.edge, pending.at, pending.claimant) == (sent.edge, sent.at, sent.claimant)


def undelivered(life: Life, now: float) -> Life:
    """Return the life after its pending notice could not be sent: it stays, for a later try."""
    pending = life.pending
    if pending is None:
        return life
    delay = min(_LONGEST_RETRY_SECONDS, _RETRY_SECONDS * 2 ** min(max(0, pending.tries - 1), 10))
    return replace(life, pending=replace(pending, claimed_until=0, claimant="", due=now + delay))


def notice(life: Life) -> Notice:
    """Return what is to be told. Raises ValueError where nothing is pending."""
    pending = life.pending
    if pending is None:
        raise ValueError(f"nothing is to be told of {life.id}")
    return Notice(pending.edge, life.finding, life.reach, iso(pending.at), iso(life.opened_at), pending.because)


def expires_at(life: Life, settings: Settings) -> int | None:
    """Return when the finding may be forgotten, in seconds since 1970: never while it is open or something is due."""
    if life.is_open or life.pending or life.hub_due:
        return None
    return int(life.resolved_at + settings.keep_days * _DAY)
