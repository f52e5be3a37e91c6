"""The life of a finding: it opens, gets worse, is resolved, and may come back. Pure functions from state to state.

A notice is recorded as `pending` before it is sent, and cleared afterwards. If a run dies in between, the notice stays
in the table, and the next run sends it (docs/adr/0033-record-then-tell.md).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from pull_responder.events.eks_change import Inspection
from pull_responder.findings.clock import began_at, minute
from pull_responder.findings.deed import Deed
from pull_responder.findings.finding import Finding
from pull_responder.findings.flapping import add_break, flapping_words, hold_down_seconds, is_flapping
from pull_responder.findings.next_look import next_look_at
from pull_responder.findings.notice import AS_FOUND_THEN, IT_GREW, IT_WAS_RESOLVED, Edge, Notice
from pull_responder.findings.problem import iso
from pull_responder.findings.reach import Reach, without_times
from pull_responder.findings.serving_all import serve_all
from pull_responder.findings.severity import severity_of
from pull_responder.findings.suppression import Suppression
from pull_responder.model.pull import PullFailure
from pull_responder.model.verdict import Severity

if TYPE_CHECKING:
    from pull_responder.settings import Settings

# A run that claims a notice has this long to send it. Then another run may claim it.
_CLAIM_SECONDS: Final = 60.0
_MOST_PROBLEMS: Final = 100
# Of the runs that claimed a notice and died, the latest are remembered.
_MOST_CLAIMANTS: Final = 10
# A notice that cannot be sent is retried every minute for a quarter of an hour, then after 2, 4, … minutes, and later
# every hour.
_QUICK_RETRIES: Final = 15
_RETRY_SECONDS: Final = 60.0
# `recheck` runs once a minute. What is due within the minute is sent by its next run, also after a call that hung.
_QUICK_RETRY_SECONDS: Final = 40.0
_LONGEST_RETRY_SECONDS: Final = 3600.0
# A notice of an end waits so long for what else there is to say.
_LONGEST_WAIT_SECONDS: Final = 600.0
# A notice that was sent this often without a readable answer counts as heard.
_MOST_UNCLEAR: Final = 2
_QUICK_LOOKS: Final = 15
# Well within a minute, so that the next run of `recheck` looks, even if this one took long.
_QUICK_LOOK_SECONDS: Final = 15.0
_HUB_RETRY_SECONDS: Final = 120.0
_DAY: Final = 86_400.0
# Security Hub deletes an active finding 90 days after its last update. A daily import keeps it.
_SIGN_OF_LIFE_SECONDS: Final = _DAY


class State(StrEnum):
    """Whether the cause still exists."""

    OPEN = "open"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True)
class Pending:
    """A notice that is to be sent. Times are in seconds since 1970.

    - `at`: when the change happened.
    - `due`: the notice is not sent before this time.
    - `claimant`: the run that sends it. Empty if unclaimed.
    - `before`: the latest of the runs that had claimed it before.
    - `claimed_until`: no other run may send it before this time. 0 if unclaimed.
    - `tries`: how many runs have claimed it.
    - `digest`: whether it is sent in a digest, with others.
    - `perhaps_heard`: whether an earlier run may have sent this notice, or one that it replaces, and died before it
      could record that.
    - `unclear`: how often it was sent without a readable answer of SNS.
    - `told`: whether only the topic for filters still has to get it.
    - `quiet`: whether people have heard nothing of the finding. Then they get it only if it ends a problem that they
      were told of (docs/adr/0132-when-a-problem-is-over.md).
    - `waits_until`: it waits until then for the table to say what else there is to tell. 0 if it does not.
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
    unclear: int = 0
    told: bool = False
    before: tuple[str, ...] = ()
    quiet: bool = False
    waits_until: float = 0


@dataclass(frozen=True, slots=True)
class LastNotice:
    """The last notice of a finding.

    - `at`: when it was sent or withheld, in seconds since 1970.
    - `severity_rank`: the severity that it gave.
    - `step`: the `magnitude` of the reach that it gave.
    - `breadth`: the `breadth` of that reach.
    - `pods`, `nodes`: how many of them that reach had; 0 if that is not known, as earlier versions did not keep it.
    - `silently`: whether people got neither it nor an earlier notice since `opened_at`: severity too low, no topic, or
      suppressed in Security Hub.
    """

    at: float
    severity_rank: int
    step: int
    silently: bool = False
    breadth: int = 0
    pods: int = 0
    nodes: int = 0


@dataclass(frozen=True, slots=True)
class Life:
    """A finding and its state. Times are in seconds since 1970, 0 where they do not apply.

    - `created_at`: when it opened first. Never changes.
    - `opened_at`: when it opened, or reopened last. Kept on reopening if people were not told that it was resolved.
    - `version`: how often its item was written.
    - `problems`: the ids of the problems that it explains, the latest hundred. The table lists the others under the
      finding.
    - `pending`: the notice that is to be sent, if any.
    - `told`: the last notice since `opened_at`, if any.
    - `resolved_at`, `because`: when and why it was resolved.
    - `looked_at`: when it was checked last.
    - `look_at`: when the next recheck is due.
    - `unread_looks`: how many rechecks in a row were undecided while something could not be read.
    - `hub_at`: the time of the last update that Security Hub accepted.
    - `hub_due`: whether Security Hub needs another update.
    - `hub_retry_at`: when to retry that update if this run does not complete it.
    - `hub_account`, `hub_region`: in whose Security Hub it is; empty: in that of the functions, or in none yet.
    - `hub_refused`: why it is there and not in that of the account at fault; empty if it need not be said.
    - `inspection`: the inspection that found it, if it was found before any pull failed.
    - `suppression`: what is remembered of a SUPPRESSED in Security Hub, if anything.
    - `related`: the ids of the other findings of the same problems, as the latest diagnoses found them.
    - `thread`: the id by which its messages and those about its problem belong together; empty before the first.
    - `deeds`: the latest changes of its resources by somebody while it was open; of a resolved one, those before it
      ended.
    - `broken_by`: the change of its resource that came before the first failure, where it is known.
    - `changes_unread`: why it could not be read whether there was such a change; empty if it was read or not asked.
    - `keys`: the keys under which changes find it while it is open (findings/concern_keys.py).
    - `listed_at`: when it was last listed under all of them.
    - `leased_by`, `leased_until`: the run that rechecks it, and until when no other run may.
    - `again`: whether a change asked for a recheck while one was under way.
    - `breaks`: when it came back, the last few times (findings/flapping.py).
    - `flapping`: whether a notice says that it flaps, since people last heard that it was resolved.
    - `page`: the key of the page of its latest diagnosis in the bucket of reports; empty if there is none.
    """

    finding: Finding
    state: State
    created_at: float
    opened_at: float
    version: int = 0
    reach: Reach = field(default_factory=Reach)
    problems: tuple[str, ...] = ()
    pending: Pending | None = None
    told: LastNotice | None = None
    resolved_at: float = 0
    because: str = ""
    looked_at: float = 0
    look_at: float = 0
    unread_looks: int = 0
    hub_at: float = 0
    hub_due: bool = False
    hub_retry_at: float = 0
    hub_account: str = ""
    hub_region: str = ""
    hub_refused: str = ""
    inspection: Inspection | None = None
    suppression: Suppression | None = None
    related: tuple[str, ...] = ()
    thread: str = ""
    deeds: tuple[Deed, ...] = ()
    broken_by: Deed | None = None
    changes_unread: str = ""
    keys: tuple[str, ...] = ()
    listed_at: float = 0
    leased_by: str = ""
    leased_until: float = 0
    again: bool = False
    breaks: tuple[float, ...] = ()
    flapping: bool = False
    page: str = ""

    @property
    def id(self) -> str:
        """The finding's id."""
        return self.finding.id

    @property
    def is_open(self) -> bool:
        """Whether the finding is open."""
        return self.state is State.OPEN

    @property
    def due_at(self) -> float | None:
        """When a run has to handle it next, in seconds since 1970; None if no run has to."""
        times = [max(self.look_at, self.leased_until)] if self.is_open else []
        if self.pending:
            times.append(max(self.pending.due, self.pending.claimed_until))
        if self.hub_due:
            times.append(self.hub_retry_at)
        return min(times, default=None)


def open_or_update(  # noqa: PLR0913 -- keyword-only but for the two that it is about
    life: Life | None, finding: Finding, *, problem: str | None, reach: Reach, now: float, settings: Settings
) -> Life:
    """Return the life of `finding` after a diagnosis reported it: opened, updated or reopened.

    - `life`: the known life, None if the finding is new.
    - `problem`: the id of the diagnosed problem, None if no pull has failed.
    - `reach`: how far all failures of the finding reach.
    - `now`: seconds since 1970.
    """
    look_at = next_look_at(now, settings)
    problems = {*(life.problems if life else ()), *filter(None, [problem])}
    finding = serve_all(finding, reach, before=life.finding if life else None)
    had = life.finding.severity if life and life.is_open else None
    severity = severity_of(finding, reach, problems=len(problems), settings=settings, before=had)
    finding = replace(finding, severity=severity)
    if life is None:
        pending = Pending(Edge.NEW, "", now, now)
        new = Life(
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
        return _look_in_time(new, now, settings)
    known_problems = life.problems
    if problem and problem not in known_problems:
        known_problems = (*known_problems, problem)[-_MOST_PROBLEMS:]
    before = life
    life = replace(
        life,
        finding=replace(finding, pull=_merge_pull(finding.pull, life.finding.pull)),
        problems=known_problems,
        reach=reach,
        looked_at=now,
        look_at=look_at,
    )
    if not life.is_open:
        return _look_in_time(_reopen(_make_hub_due(life, now), now, settings), now, settings)
    if differs_in_hub(life, before):
        life = _make_hub_due(life, now)
    life = _show_sign_of_life(life, now)
    return _look_in_time(_remind_if_due(_mark_worse(life, now), now, settings), now, settings)


def differs_in_hub(life: Life, other: Life) -> bool:
    """Return whether Security Hub needs another update after `other` to show `life`.

    Each import is an event for the customer's rules. So a change is one of what people act on: state, severity, texts,
    and counts that grew by a step. The number of events, and which pull failed last, come with the daily import.
    """
    return _shown_in_hub(life) != _shown_in_hub(other)


def _shown_in_hub(life: Life) -> tuple[object, ...]:
    finding = life.finding
    return (
        life.state,
        life.because,
        finding.severity,
        finding.title,
        without_times(finding.explanation),
        tuple(map(without_times, finding.evidence)),
        finding.remediation,
        finding.resource,
        finding.related,
        finding.cluster,
        life.related,
        life.reach.steps,
    )


def _make_hub_due(life: Life, now: float) -> Life:
    return replace(life, hub_due=True, hub_retry_at=now + _HUB_RETRY_SECONDS)


def _show_sign_of_life(life: Life, now: float) -> Life:
    """Return an open life, due in Security Hub if its last update was a day ago."""
    if life.hub_due or not life.is_open or not life.hub_at or now < life.hub_at + _SIGN_OF_LIFE_SECONDS:
        return life
    return _make_hub_due(life, now)


def _merge_pull(pull: PullFailure, before: PullFailure) -> PullFailure:
    """Return the failure, with AWS's error or the pod of an earlier failure of the same repository if it lacks them."""
    if (pull.registry_account, pull.region, pull.repository) != (
        before.registry_account,
        before.region,
        before.repository,
    ):
        return pull
    if pull.denial is None and before.denial is not None:
        # These fields come from one error of AWS, so they are taken together.
        pull = replace(
            pull, principal=before.principal, denial=before.denial, symptom=before.symptom, stage=before.stage
        )
    if pull.pod is None:
        pull = replace(pull, pod=before.pod, namespace=before.namespace, message=pull.message or before.message)
    return pull


def _reopen(life: Life, now: float, settings: Settings) -> Life:
    if life.pending and life.pending.quiet and not (life.pending.claimant or life.pending.perhaps_heard):
        life = replace(life, pending=None)
    pending = life.pending
    is_untold = bool(pending and pending.edge is Edge.RESOLVED and not (pending.claimant or pending.perhaps_heard))
    was_told = not is_untold and (pending is not None or life.told is not None)
    breaks = add_break(life.breaks, now, resolved_for=now - life.resolved_at, was_told=was_told)
    flaps = flapping_words(breaks, minutes=settings.hold_down_minutes) if is_flapping(breaks, now) else ""
    reopened = replace(life, state=State.OPEN, resolved_at=0, because="", breaks=breaks)
    if is_untold:
        # Nobody was notified that it was resolved. So for people it stayed open.
        if life.told and flaps and not life.flapping:
            return replace(reopened, flapping=True, pending=Pending(Edge.BACK, flaps, now, now))
        if life.told:
            return replace(reopened, pending=None)
        # A run claimed the first notice and did not record whether it sent it. Better twice than never.
        again = Edge.NEW if life.opened_at == life.created_at else Edge.BACK
        return replace(reopened, pending=Pending(again, "", now, now, perhaps_heard=True))
    since = f"{IT_WAS_RESOLVED} {minute(life.resolved_at)}{AS_FOUND_THEN}: {life.because}" if life.resolved_at else ""
    because = " ".join(filter(None, [since, flaps]))
    # An earlier notice may have been sent without a record. With `perhaps_heard`, people get RESOLVED for it even if
    # the finding is resolved again before BACK is sent.
    back = Pending(Edge.BACK, because, now, _due_after_claim(life, now), perhaps_heard=pending is not None)
    return replace(reopened, opened_at=now, told=None, pending=back, flapping=bool(flaps))


def _due_after_claim(life: Life, due: float) -> float:
    """Return `due`, or later if another run may still be sending the pending notice."""
    return max(due, life.pending.claimed_until) if life.pending else due


def _may_have_been_notified(life: Life) -> bool:
    """Whether people were, or may have been, notified. A run that claimed a notice may have sent it unrecorded."""
    pending = life.pending
    return (life.told is not None and not life.told.silently) or bool(
        pending and (pending.claimant or pending.perhaps_heard)
    )


def _mark_worse(life: Life, now: float) -> Life:
    """Return the life, with a notice WORSE if severity or `magnitude` grew since the last notice."""
    told = life.told
    if life.pending or told is None:
        return life
    severity = life.finding.severity
    changes = []
    if severity.rank > told.severity_rank:
        changes.append(f"from {tuple(Severity)[max(told.severity_rank, 0)].value} to {severity.value}")
    if magnitude(life.reach) > told.step:
        changes += _grown(life.reach, "pods", "pod", told.pods) + _grown(life.reach, "nodes", "node", told.nodes)
    # Whoever suppressed it knew what failed on that day. To all others, it is the same fault.
    if life.suppression and life.suppression.silences and life.reach.breadth > told.breadth:
        changes.append(
            f"now pulls of {_count(life.reach, 'repositories', 'repository')} by "
            f"{_count(life.reach, 'principals', 'role or user', 'roles or users')} fail"
        )
    if not changes:
        return life
    because = f"{IT_GREW} {', '.join(changes)}."
    return replace(life, pending=Pending(Edge.WORSE, because, now, now))


def _grown(reach: Reach, many: str, one: str, before: int) -> list[str]:
    """Return how a count has grown since the last notice that gave `before`, if it has, or is not known to have not."""
    if reach.count(many) <= before:
        return []
    return [f"{f'from {before} to' if before > 0 else 'now'} {_count(reach, many, one)}"]


def _count(reach: Reach, what: str, one: str, many: str = "") -> str:
    words = reach.words(what)
    return f"{words} {one if words == '1' else many or what}"


def magnitude(reach: Reach) -> int:
    """Return the order of magnitude of the pods or nodes, whichever are more: 0 for 1 to 9, 1 for 10 to 99."""
    return len(str(max(reach.pod_count, reach.node_count, 1))) - 1


def resolve(life: Life, *, because: str, now: float, settings: Settings) -> Life:
    """Return the life of a finding whose cause is gone: resolved.

    People who were notified of it, or may have been, are notified again after the hold-down, which grows each time that
    the finding comes back. `because` says why it is resolved. If they heard nothing of it, but may have of a finding
    beside it, it may be what kept that problem open: a quiet notice is pending, which the notifier sends or withholds.
    """
    if not life.is_open:
        return life
    hold_down = hold_down_seconds(life.breaks, now, minutes=settings.hold_down_minutes)
    due = _due_after_claim(life, now + hold_down)
    is_unsent = life.pending is not None and not life.pending.claimant
    is_quiet = not _may_have_been_notified(life)
    needs_notice = not is_quiet or bool(life.related and settings.topic_arn)
    return replace(
        life,
        state=State.RESOLVED,
        flapping=life.flapping and not is_unsent,
        resolved_at=now,
        because=because,
        looked_at=now,
        hub_due=True,
        hub_retry_at=now + _HUB_RETRY_SECONDS,
        pending=Pending(Edge.RESOLVED, because, now, due, quiet=is_quiet) if needs_notice else None,
    )


def mark_rechecked(life: Life, *, now: float, settings: Settings, unread: bool = False) -> Life:
    """Return the life after a recheck that did not resolve it: the next recheck is set, and a reminder if one is due.

    Reminders are `settings.reminder_hours` apart. With `unread`, the recheck could not decide because something could
    not be read. Such failures pass, so the next run of the minute rechecks it, for a quarter of an hour.
    """
    life = replace(life, looked_at=now, look_at=next_look_at(now, settings))
    if not unread:
        life = replace(life, unread_looks=0)
    elif life.unread_looks < _QUICK_LOOKS:
        look_at = min(life.look_at, now + _QUICK_LOOK_SECONDS)
        life = replace(life, unread_looks=life.unread_looks + 1, look_at=look_at)
    life = _remind_if_due(_show_sign_of_life(_mark_worse(life, now), now), now, settings)
    return _look_in_time(life, now, settings)


def _look_in_time(life: Life, now: float, settings: Settings) -> Life:
    """Return an open life, looked at again as soon as its next reminder or its next sign of life is due."""
    times = []
    if settings.reminder_hours:
        # A notice that waits is sent at `now` or later.
        told = life.told.at if life.told and not life.pending else now
        times.append(told + settings.reminder_hours * 3600)
    if life.hub_at or life.hub_due:
        times.append((now if life.hub_due else life.hub_at) + _SIGN_OF_LIFE_SECONDS)
    # What is due by now is under way, or waits for something else.
    return replace(life, look_at=min([life.look_at, *(each for each in times if each > now)]))


def _remind_if_due(life: Life, now: float, settings: Settings) -> Life:
    if not life.is_open or life.pending or life.told is None or not settings.reminder_hours:
        return life
    if now < life.told.at + settings.reminder_hours * 3600:
        return life
    return replace(life, pending=Pending(Edge.REMINDER, "", now, now))  # each message says since when


def claim(life: Life, now: float, claimant: str, *, seconds: float = _CLAIM_SECONDS) -> Life:
    """Return the life with its pending notice claimed by the run `claimant`, if one is due and unclaimed.

    After `seconds`, another run may claim it.
    """
    pending = life.pending
    if pending is None or pending.due > now or pending.claimed_until > now:
        return life
    claimed = replace(
        pending,
        claimed_until=now + seconds,
        claimant=claimant,
        tries=pending.tries + 1,
        perhaps_heard=pending.perhaps_heard or bool(pending.claimant),
        before=_claimants(pending, claimant),
    )
    return replace(life, pending=claimed)


def _claimants(pending: Pending, claimant: str) -> tuple[str, ...]:
    """Return the runs that had claimed a notice before `claimant` does."""
    every = dict.fromkeys((*pending.before, pending.claimant))
    return tuple(each for each in every if each not in ("", claimant))[-_MOST_CLAIMANTS:]


def is_claimed_by(life: Life, claimant: str, now: float) -> bool:
    """Return whether the run `claimant` holds the claim on the pending notice."""
    return life.pending is not None and life.pending.claimant == claimant and life.pending.claimed_until > now


def postpone(life: Life, due: float) -> Life:
    """Return the life with its pending notice unclaimed, and due at `due` as part of a digest."""
    if life.pending is None:
        return life
    return replace(life, pending=replace(life.pending, claimed_until=0, claimant="", due=due, digest=True))


def mark_notified(life: Life, now: float, *, silently: bool = False, sent: Life | None = None) -> Life:
    """Return the life after its pending notice was sent or, with `silently`, withheld.

    `sent` is the life that the notice was made from. If another run has changed the life since, only that notice
    is cleared, and later growth is still notified. If it has reopened, nothing changes.
    """
    sent = sent or life
    if life.opened_at != sent.opened_at:
        return life
    if silently and sent.pending and sent.pending.quiet:
        return replace(life, pending=None if _is_same(life.pending, sent.pending) else life.pending)
    # If people were notified earlier, a withheld reminder does not undo that.
    not_sent = silently and not (life.told and not life.told.silently)
    breadth = sent.reach.breadth
    if silently and life.told and sent.pending and sent.pending.edge is Edge.REMINDER:
        breadth = life.told.breadth  # what grew while nobody knew of the suppression is told once it is known
    told = LastNotice(
        now,
        sent.finding.severity.rank,
        magnitude(sent.reach),
        silently=not_sent,
        breadth=breadth,
        pods=sent.reach.pod_count,
        nodes=sent.reach.node_count,
    )
    return replace(life, pending=None if _is_same(life.pending, sent.pending) else life.pending, told=told)


def remember_suppression(life: Life, now: float, suppression: Suppression | None) -> Life:
    """Return the life with what Security Hub said of a suppression, and WORSE if it has grown since."""
    if life.suppression is suppression:
        return life
    life = replace(life, suppression=suppression)
    return _mark_worse(life, now) if life.is_open else life


def _is_same(pending: Pending | None, sent: Pending | None) -> bool:
    if pending is None or sent is None:
        return pending is sent
    return (pending.edge, pending.at, pending.claimant) == (sent.edge, sent.at, sent.claimant)


def retry_later(life: Life, now: float) -> Life:
    """Return the life after its pending notice could not be sent: it stays pending, due later."""
    pending = life.pending
    if pending is None:
        return life
    doublings = min(max(0, pending.tries - _QUICK_RETRIES), 10)
    delay = min(_LONGEST_RETRY_SECONDS, _RETRY_SECONDS * 2**doublings) if doublings else _QUICK_RETRY_SECONDS
    return replace(life, pending=replace(pending, claimed_until=0, claimant="", due=now + delay))


def end_may_wait(life: Life, now: float) -> bool:
    """Return whether the pending notice tells of an end, and may wait for what else there is to say: ten minutes."""
    pending = life.pending
    if pending is None or pending.edge is not Edge.RESOLVED or pending.told:
        return False
    return not pending.waits_until or now < pending.waits_until


def wait_for_more(life: Life, now: float) -> Life:
    """Return the life after its pending notice could not say enough: it stays pending, due within a minute."""
    pending = life.pending
    if pending is None:
        return life
    until = pending.waits_until or now + _LONGEST_WAIT_SECONDS
    due = now + _QUICK_RETRY_SECONDS
    return replace(life, pending=replace(pending, claimed_until=0, claimant="", due=due, waits_until=until))


def counts_as_heard(life: Life) -> bool:
    """Return whether the pending notice counts as heard if SNS gives no readable answer this time."""
    return life.pending is not None and life.pending.unclear + 1 >= _MOST_UNCLEAR


def mark_told(life: Life, now: float, *, sent: Life, unclear: bool) -> Life:
    """Return the life after its notice was sent, but not to the topic for filters: that stays due.

    With `unclear`, that topic gave no readable answer; the second time, it counts as sent. After a quarter of an hour
    the topic is left out, because a pending notice holds up the next one.
    """
    notified, pending = mark_notified(life, now, sent=sent), life.pending
    if pending is None or notified.pending is not None:
        return notified
    number = (pending.unclear if pending.told else 0) + int(unclear)
    if number >= _MOST_UNCLEAR or pending.tries > _QUICK_RETRIES:
        return notified
    # People have heard of it, so the finding's next change is not the first that they hear.
    due = replace(pending, told=True, perhaps_heard=True, unclear=number, before=())
    return retry_later(replace(notified, pending=due), now)


def mark_perhaps_notified(life: Life, now: float, *, sent: Life | None = None) -> Life:
    """Return the life after its pending notice was sent and SNS gave no readable answer.

    The first time it stays pending, due later. The second time it counts as sent, so people get it at most twice.
    `sent` is as in `mark_notified`.
    """
    if life.pending is None:
        return life
    if counts_as_heard(life):
        return mark_notified(life, now, sent=sent)
    unclear = replace(life.pending, unclear=life.pending.unclear + 1, perhaps_heard=True)
    return retry_later(replace(life, pending=unclear), now)


def notice(life: Life) -> Notice:
    """Return the pending notice. Raises ValueError if nothing is pending."""
    pending = life.pending
    if pending is None:
        raise ValueError(f"no notice is pending for {life.id}")
    return Notice(
        pending.edge,
        life.finding,
        life.reach,
        at=iso(pending.at),
        opened_at=iso(life.opened_at),
        because=pending.because,
        since=iso(_began_at(life)),
        fixed_by=_fixed_by(life, pending),
        broken_by=life.broken_by,
        changes_unread=life.changes_unread,
        page=life.page,
    )


def _began_at(life: Life) -> float:
    """Return since when its pulls fail. Failures from before it came back, which the reach has, too, do not count."""
    return began_at(life.reach, life.opened_at) if life.opened_at == life.created_at else life.opened_at


def _fixed_by(life: Life, pending: Pending) -> tuple[Deed, ...]:
    """Return the changes before it was resolved; of what came back, those that the words tell of."""
    if pending.edge is Edge.BACK:
        return tuple(each for each in life.deeds if each.words in pending.because)
    return life.deeds if pending.edge is Edge.RESOLVED else ()


def expires_at(life: Life, settings: Settings) -> int | None:
    """Return when the item may be deleted, in seconds since 1970. None while it is open or something is due."""
    if life.is_open or life.pending or life.hub_due:
        return None
    return int(life.resolved_at + settings.keep_days * _DAY)
