"""Import findings into Security Hub, and read the workflow status that people have set there."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Final, TypeVar

from pull_responder.facts.failed_call import may_pass
from pull_responder.findings.life import Life, differs_in_hub, remember_suppression
from pull_responder.findings.problem import seconds_of
from pull_responder.findings.suppression import Suppression, suppression_after
from pull_responder.model.unread import Unread
from pull_responder.publish import hub_workflow, security_hub
from pull_responder.publish.hub_workflow import Workflow
from pull_responder.publish.security_hub import rejection
from pull_responder.publish.text import one_line
from pull_responder.responder.hub_findings import HubFindings
from pull_responder.responder.hub_places import HubPlace, HubPlaces, is_off, is_refusal, takes_none
from pull_responder.responder.hub_related import HubRelated

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mypy_boto3_securityhub import SecurityHubClient

    from pull_responder.publish.security_hub import ImportOutcome, Rejection
    from pull_responder.responder.run import Run

# Seconds of the run's time that waiting for Security Hub must leave for notifications.
_SECONDS_TO_NOTIFY: Final = 4.0
# Seconds that people's notices wait for Security Hub to say whether they are wanted.
_SECONDS_TO_READ: Final = 8.0
# User Guide: an active finding is deleted 90 days after its last update.
_FORGOTTEN_SECONDS: Final = 90 * 86_400.0
# How many accounts' Security Hubs are called at the same time.
_AT_ONCE: Final = 8
# Characters. The reason of a refusal has up to 400.
_SENTENCE: Final = 640
# Clocks differ by less.
_DAY: Final = 86_400.0


_Step = Callable[["Life"], "Life"]
T = TypeVar("T")


class Hub:
    """Security Hub: of our own account, or of the accounts at fault. Its errors and rejections are logged and counted,
    never raised.

    What one account's Security Hub does not take, or does not answer, delays no other account's findings.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._places = HubPlaces(run)
        # What Security Hub has said in this run, by finding id; None for a finding that it does not have.
        self._read: dict[str, Workflow | Unread | None] = {}
        # Why findings are imported in our own account and not in that at fault, by finding id: one sentence.
        self._refused: dict[str, str] = {}
        # The Security Hubs of other accounts that did not answer in this run, and why.
        self._down: dict[HubPlace, str] = {}
        self._related = HubRelated(run, self._place_of)
        self._findings = HubFindings(run, self._related, self._read, self._why_here)

    def update(self, lives: Sequence[Life]) -> dict[str, _Step]:
        """Import `lives`. Return by finding id the step to record: imported, to be retried, or not to be retried."""
        if not lives or not self._run.settings.security_hub:
            return {life.id: _clear_due for life in lives}
        own = self._places.own()
        if isinstance(own, Unread):
            self._log_unavailable(len(lives), reason=own.reason)
            return dict.fromkeys((life.id for life in lives), self._schedule_retry())
        steps = self._leave_to_members(lives, own)
        lives = [life for life in lives if life.id not in steps]
        # Read before the import: after it, Security Hub has each of them.
        self.workflows([life for life in lives if life.id not in self._read])
        self._related.read(lives)
        unplaced = self._unplaced(lives)
        for why in unplaced.values():
            self._log_unavailable(1, reason=why.reason)
        placed = [life for life in lives if life.id not in unplaced]
        steps |= dict.fromkeys(unplaced, self._schedule_retry())
        steps |= self._at_each_place(self._import_at, placed, own)
        refused = [life for life in placed if life.id not in steps]
        if refused:
            self._read |= self._read_at(own, refused, own)
            steps |= self._import_at(own, refused, own)
        return steps

    def _leave_to_members(self, lives: Sequence[Life], own: HubPlace) -> dict[str, _Step]:
        """Return the steps of findings in other accounts, if there is no organization any more.

        Those accounts trust our roles by names that these have in an organization only.
        """
        if self._run.settings.organization_id:
            return {}
        left = [life.id for life in lives if life.hub_account not in ("", own.account)]
        if left:
            self._run.logger.warning(
                "findings are left as they are in accounts of the former organization", findings=len(left)
            )
        return dict.fromkeys(left, _clear_due)

    def say_where(self, life: Life) -> Life:
        """Return the life, with a line of evidence that says why it is not in Security Hub of the account at fault."""
        if not (sentence := self._why_here(life)):
            return life
        return replace(life, finding=replace(life.finding, evidence=(*life.finding.evidence, sentence)))

    def _why_here(self, life: Life) -> str:
        if why := self._refused.get(life.id) or life.hub_refused:
            return why
        return one_line(self._places.why_not_at_fault(life), _SENTENCE) if self._run.settings.security_hub else ""

    def _place_of(self, life: Life) -> HubPlace | Unread:
        return self._places.own() if life.id in self._refused else self._places.of(life)

    def _unplaced(self, lives: Sequence[Life]) -> dict[str, Unread]:
        """Return why it is not known for now where findings belong, by finding id."""
        places = {life.id: self._place_of(life) for life in lives}
        return {finding: place for finding, place in places.items() if isinstance(place, Unread)}

    def _at_each_place(
        self,
        do: Callable[[HubPlace, Sequence[Life], HubPlace], dict[str, T]],
        lives: Sequence[Life],
        own: HubPlace,
    ) -> dict[str, T]:
        """Return what `do` returns for the findings of each place, several places at a time."""
        groups: dict[HubPlace, list[Life]] = {}
        for life in lives:
            if isinstance(place := self._place_of(life), HubPlace):
                groups.setdefault(place, []).append(life)
        if len(groups) < 2:  # noqa: PLR2004 -- one needs no threads
            results = [do(place, group, own) for place, group in groups.items()]
        else:
            with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="security-hub") as pool:
                results = list(pool.map(do, groups, groups.values(), [own] * len(groups)))
        return {finding: each for result in results for finding, each in result.items()}

    def _import_at(self, place: HubPlace, lives: Sequence[Life], own: HubPlace) -> dict[str, _Step]:
        """Import `lives` in one place. Return the steps, but of those that our own account has to take instead."""
        client = self._places.importer(place)
        if isinstance(client, Unread):
            return self._without_client(place, lives, own, client)
        if place in self._down:
            self._log_unavailable(len(lives), reason=self._down[place])
            return dict.fromkeys((life.id for life in lives), self._schedule_retry())
        asffs = self._findings.make(lives, place)
        outcome = security_hub.import_findings(
            client, list(asffs.values()), remaining=self._remaining, wait=self._run.wait
        )
        rejected = {each.finding_id: each for each in outcome.rejections}
        if place != own:
            movable = {life.id for life in lives if not life.hub_at}
            moved = {each: why for each, why in rejected.items() if each in movable and is_refusal(why.code)}
            self._move(place, own, {each: f"{why.code}: {why.reason}" for each, why in moved.items()})
            lives = [life for life in lives if life.id not in moved]
            rejected = {each: why for each, why in rejected.items() if each not in moved}
            if outcome.unavailable and rejected:
                self._down[place] = outcome.unavailable
        self._log_outcome(place, outcome, rejected)
        imported = [life for life in lives if life.id in asffs and life.id not in rejected]
        self._run.count("SecurityHubFallbacks", sum(life.id in self._refused for life in imported))
        rejected |= self._set_resolved(place, client, [life.id for life in imported if not life.is_open])
        imported = [life for life in imported if life.id not in rejected]
        lost = [each for each in imported if self.suppression(each) is Suppression.LOST]
        rejected |= self._suppress_again(place, client, lost)
        later = self._schedule_retry(unavailable=bool(outcome.unavailable))
        steps: dict[str, _Step] = {}
        for life in lives:
            refused = rejected.get(life.id)
            if life.id not in asffs:
                step = self._keep_due(life)
            elif refused is None:
                at = seconds_of(asffs[life.id]["UpdatedAt"]) or self._run.now()
                # A time to come that somebody else gave the finding is not when we imported it.
                at = at if at <= self._run.now() + _DAY else self._run.now()
                step = _record_import(life, at, self._where(life, place), self._why_here(life))
            else:
                step = later if refused.retryable else self._keep_due(life)
            suppression = self.suppression(life)
            if suppression is Suppression.LOST and refused is None and life.id in asffs:
                suppression = Suppression.PEOPLE
            steps[life.id] = self._also_remember(step, suppression)
        return steps

    def _without_client(self, place: HubPlace, lives: Sequence[Life], own: HubPlace, why: Unread) -> dict[str, _Step]:
        """Return the steps of findings of a place that we cannot call. Those that our own is to take have none."""
        is_shut = place != own and takes_none(why.reason)
        moved = {life.id: why.reason for life in lives if not life.hub_at} if is_shut else {}
        self._move(place, own, moved)
        kept = [life for life in lives if life.id not in moved]
        if kept:
            self._log_unavailable(len(kept), reason=why.reason)
        # An account may have left the organization. What was over there long ago is not tried for ever.
        return {life.id: self._keep_due(life) if is_shut else self._schedule_retry() for life in kept}

    def _move(self, place: HubPlace, own: HubPlace, why: Mapping[str, str]) -> None:
        """Note that our own Security Hub is to take findings that another one does not, and why, by finding id."""
        for reason in dict.fromkeys(why.values()):
            self._run.logger.warning(
                "the account at fault takes no finding", account=place.account, region=place.region, reason=reason
            )
        for finding, reason in why.items():
            self._refused[finding] = one_line(
                f"This finding is in Security Hub of {own}, because that of {place} does not take it: {reason}",
                _SENTENCE,
            )

    def _where(self, life: Life, place: HubPlace) -> HubPlace | None:
        """Return the place to remember; None where findings have always been in our own."""
        return place if life.hub_account or self._run.settings.findings_in == "member" else None

    def _log_outcome(self, place: HubPlace, outcome: ImportOutcome, rejected: Mapping[str, Rejection]) -> None:
        self._run.count("SecurityHubImports", outcome.imported)
        self._run.count("SecurityHubRejections", len(rejected))
        if outcome.unavailable and rejected:
            self._run.logger.error("security hub cannot be reached", reason=outcome.unavailable, place=str(place))
            return
        for each in rejected.values():
            self._run.logger.error("security hub refused a finding", **asdict(each))

    def suppression(self, life: Life) -> Suppression | None:
        """Return what is known of a finding's suppression, after what Security Hub has said in this run."""
        if not self._run.settings.security_hub:
            return None  # nobody could lift it
        if life.id not in self._read:
            return life.suppression
        workflow = self._read[life.id]
        if isinstance(workflow, Unread):
            return life.suppression
        imported = self._run.now() - life.hub_at if life.hub_at else math.inf
        return suppression_after(life.suppression, workflow.status if workflow else None, imported=imported)

    def _also_remember(self, step: _Step, suppression: Suppression | None) -> _Step:
        def both(life: Life) -> Life:
            life = step(life)
            if suppression is Suppression.PLANTED and life.suppression is Suppression.PLANTED_TOLD:
                return life  # people were told in this run
            return remember_suppression(life, self._run.now(), suppression)

        return both

    def _suppress_again(
        self, place: HubPlace, client: SecurityHubClient, lives: Sequence[Life]
    ) -> dict[str, Rejection]:
        """Set findings to SUPPRESSED that Security Hub had lost. Return the rejections by finding id."""
        if not lives:
            return {}
        refused = hub_workflow.suppress(
            client,
            [life.id for life in lives],
            product_arn=place.product_arn,
            remaining=self._remaining,
            wait=self._run.wait,
        )
        for each in refused:
            self._run.logger.warning("security hub refused to suppress a finding again", **asdict(each))
        return {each.finding_id: each for each in refused}

    def _keep_due(self, life: Life) -> _Step:
        """Return the step after a refusal: a retry at the next recheck, until Security Hub has forgotten the finding.

        A missing permission is given, and Security Hub is turned on again. Until then a closed finding is shown ACTIVE.
        """
        forgotten = not life.is_open and self._run.now() - life.resolved_at > _FORGOTTEN_SECONDS
        return _clear_due if forgotten else self._schedule_retry()

    def _schedule_retry(self, *, unavailable: bool = True) -> _Step:
        """Return the step that records when to retry the import."""
        minutes = self._run.settings.recheck_minutes if unavailable else 1
        at = self._run.now() + minutes * 60
        return lambda life: replace(life, hub_retry_at=at)

    def workflows(self, lives: Sequence[Life]) -> Mapping[str, Workflow | Unread]:
        """Return the workflow status of each finding that Security Hub has, or why it cannot be read."""
        if not lives or not self._run.settings.security_hub:
            return {}
        own = self._places.own()
        if isinstance(own, Unread):
            self._read |= dict.fromkeys((life.id for life in lives), own)
            return dict.fromkeys((life.id for life in lives), own)
        read: dict[str, Workflow | Unread | None] = {**self._unplaced(lives)}
        read |= self._at_each_place(self._read_at, lives, own)
        moved = [life for life in lives if life.id not in read]
        read |= self._read_at(own, moved, own) if moved else {}
        self._read |= read
        return {finding: each for finding, each in read.items() if each is not None}

    def _read_at(self, place: HubPlace, lives: Sequence[Life], own: HubPlace) -> dict[str, Workflow | Unread | None]:
        """Return what one place says of findings. Those are left out that our own account is to take."""
        if place != own:
            lives = self._taken_by(place, lives, own)
        ids = [life.id for life in lives]
        client = self._places.reader(place) if place not in self._down else Unread(self._down[place])
        if isinstance(client, Unread) or not ids:
            return dict.fromkeys(ids, client if isinstance(client, Unread) else None)
        read = self._read_workflows(place, client, ids)
        if place != own:
            for why in dict.fromkeys(each.reason for each in read.values() if isinstance(each, Unread)):
                if may_pass(why):
                    self._down[place] = why
            off = {
                life.id: each.reason
                for life in lives
                if isinstance(each := read.get(life.id), Unread) and is_off(each.reason) and not life.hub_at
            }
            self._move(place, own, off)
            ids = [each for each in ids if each not in off]
        return {each: read.get(each) for each in ids}

    def _taken_by(self, place: HubPlace, lives: Sequence[Life], own: HubPlace) -> list[Life]:
        """Return the findings that a place takes, as far as its import role shows. The first notice says so."""
        why = self._places.importer(place)
        if not (isinstance(why, Unread) and takes_none(why.reason)):
            return list(lives)
        self._move(place, own, {life.id: why.reason for life in lives if not life.hub_at})
        return [life for life in lives if life.hub_at]

    def _read_workflows(
        self, place: HubPlace, client: SecurityHubClient, ids: Sequence[str]
    ) -> Mapping[str, Workflow | Unread]:
        left = _SECONDS_TO_READ
        # It is short, and what is not read silences nothing. So it may take longer than the run was to work.
        lifetime = self._run.lifetime

        def wait(seconds: float) -> None:
            nonlocal left
            left -= seconds
            self._run.wait(seconds)

        read = hub_workflow.read_workflows(
            client,
            ids,
            product_arn=place.product_arn,
            remaining=lambda: min(left, lifetime() - _SECONDS_TO_NOTIFY),
            wait=wait,
        )
        for reason in dict.fromkeys(each.reason for each in read.values() if isinstance(each, Unread)):
            self._run.logger.warning("security hub did not return the workflow status", reason=reason, place=str(place))
        return read

    def _set_resolved(self, place: HubPlace, client: SecurityHubClient, ids: Sequence[str]) -> dict[str, Rejection]:
        """Set the workflow status of resolved findings from NEW to RESOLVED. Return the rejections by finding id."""
        if not ids:
            return {}
        # The role that imports reads nothing.
        reader = self._places.reader(place)
        if isinstance(reader, Unread):
            refused = tuple(rejection(each, "Unread", reader.reason, retryable=True) for each in ids)
        else:
            refused = hub_workflow.resolve(
                client,
                ids,
                reader=reader,
                product_arn=place.product_arn,
                remaining=self._remaining,
                wait=self._run.wait,
            ).rejections
        for each in refused:
            self._run.logger.warning("security hub refused to resolve a finding", **asdict(each))
        return {each.finding_id: each for each in refused}

    def _remaining(self) -> float:
        return self._run.remaining() - _SECONDS_TO_NOTIFY

    def _log_unavailable(self, number: int, *, reason: str) -> None:
        self._run.count("SecurityHubRejections", number)
        self._run.logger.error("security hub cannot be reached", reason=reason)


def _clear_due(life: Life) -> Life:
    return replace(life, hub_due=False)


def _record_import(sent: Life, at: float, place: HubPlace | None, why_here: str) -> _Step:
    def step(life: Life) -> Life:
        # If the finding changed after it was sent, another update is due.
        life = replace(life, hub_at=max(life.hub_at, at), hub_due=differs_in_hub(life, sent))
        if place is None:
            return life
        return replace(life, hub_account=place.account, hub_region=place.region, hub_refused=why_here)

    return step
