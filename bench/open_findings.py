"""Thousands of open findings: each is looked at in time, and a change finds its own among them.

`python -m bench.open_findings` opens two thousand at once, so that all are due at once, and prints for how long one was
not looked at, and how soon a change reached its finding, by the clock of bench/lambda_time.py.
"""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from unittest.mock import patch

from bench.lambda_time import Deployment
from bench.roles import NOON, Estate, change_event, prepare
from bench.storm import _event as event_of_denial
from pull_responder.emulator.emulated_aws import emulated_aws
from pull_responder.responder.recheck import Recheck

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pull_responder.emulator.emulated_aws import EmulatedAws
    from pull_responder.findings.life import Life

FINDINGS: Final = 2_000
CHANGES: Final = 10
RECHECK_MINUTES: Final = 15
# Of five findings, three are about a role each, one about a repository's policy, one about a stranger.
_OF_FIVE: Final = {"roles": 3, "repositories": 1, "strangers": 1}
_OPENED_WITHIN: Final = 10
# So many minutes after their diagnosis all are due (findings/next_look.py).
_DUE_AFTER: Final = 13


@dataclass
class Result:
    """What came of it. Times are in seconds.

    - `opened`: how many findings were looked at in the first place, as they were open.
    - `looks`: when each finding was looked at, its diagnosis first.
    - `reached`: how long each change took to the end of the recheck of its finding.
    - `until`: when all this ended.
    """

    looks: dict[str, list[float]] = field(default_factory=dict)
    reached: list[float] = field(default_factory=list)
    calls: int = 0
    busiest: int = 0
    throttled: int = 0
    late: int = 0
    until: float = 0.0

    @property
    def gaps(self) -> list[float]:
        """The longest time for which each finding was not looked at."""
        return [
            max(after - before for before, after in zip(times, [*times[1:], self.until], strict=True))
            for times in self.looks.values()
        ]


class OpenFindings:
    """An account in which `number` things are broken, of three kinds."""

    def __init__(self, aws: EmulatedAws, number: int) -> None:
        self._iam, self._ecr = aws.client("iam"), aws.client("ecr")
        roles, repositories, strangers = (number * each // 5 for each in _OF_FIVE.values())
        self._estate = Estate(aws, roles)
        self.roles = self._estate.roles
        # A role that may pull, but for the policies of repositories.
        self._puller = self._estate.may_pull()
        self.repositories = [f"denied/{each}" for each in range(repositories)]
        for each in self.repositories:
            self._ecr.create_repository(repositoryName=each)
            denied = {"Effect": "Deny", "Principal": "*", "Action": "ecr:BatchGetImage"}
            policy = json.dumps({"Version": "2012-10-17", "Statement": [denied]})
            self._ecr.set_repository_policy(repositoryName=each, policyText=policy)
        self.strangers = [f"build-{each}" for each in range(strangers)]
        for each in self.strangers:
            trust = {"Effect": "Allow", "Principal": {"Service": "codebuild.amazonaws.com"}, "Action": "sts:AssumeRole"}
            document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
            self._iam.create_role(RoleName=each, AssumeRolePolicyDocument=document)

    def forget_repositories(self) -> None:
        """Delete the repositories, which would deny pulls to others who use the emulated AWS."""
        for each in self.repositories:
            self._ecr.delete_repository(repositoryName=each, force=True)

    def failures(self, at: float) -> list[str]:
        """Return a failure of each."""
        instances = self._estate.instances
        events = [event_of_denial(*each, at) for each in zip(self.roles, instances, strict=True)]
        for each in self.repositories:
            denied = event_of_denial(self._puller, instances[0], at)
            text = json.dumps(denied).replace("shop/web", each)
            denied = json.loads(text)
            words = denied["detail"]["errorMessage"].partition(" because ")[0]
            denied["detail"]["errorMessage"] = f"{words} with an explicit deny in a resource-based policy"
            events.append(denied)
        events += [event_of_denial(each, "session", at) for each in self.strangers]
        return [json.dumps(each) for each in events]

    def mend(self, number: int) -> tuple[str, str]:
        """Let one role pull. Return CloudTrail's event of it, and the end of the finding's resource."""
        role = self.roles[number * len(self.roles) // CHANGES]
        policy = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly"
        self._iam.attach_role_policy(RoleName=role, PolicyArn=policy)
        return change_event("iam", "AttachRolePolicy", roleName=role, policyArn=policy), f"role/{role}"


def play(findings: OpenFindings, *, minutes: int = 15) -> Result:
    """Open all at once, and look on for some `minutes` after `_OPENED_WITHIN`. Changes come while all are due."""
    result, asked = Result(), dict[str, float]()
    deployment = Deployment(NOON)
    with _note_looks(result, asked):
        deployment.put("diagnose", *findings.failures(NOON - 60))
        deployment.play(minutes=_OPENED_WITHIN)
        for minute in range(minutes):
            number = minute - _DUE_AFTER + _OPENED_WITHIN
            if 0 <= number < CHANGES:
                # In the middle of a minute, when the run of the schedule is under way.
                deployment.play(minutes=0.5)
                body, resource = findings.mend(number)
                asked[resource] = deployment.now
                deployment.put("recheck", body)
                deployment.play(minutes=0.5)
            else:
                deployment.play(minutes=1)
    result.until = deployment.now
    result.calls = sum(deployment.calls.values())
    result.busiest = max(max(each.values()) for each in deployment.seconds.values())
    result.throttled, result.late = deployment.throttled, deployment.late
    return result


@contextmanager
def _note_looks(result: Result, asked: dict[str, float]) -> Iterator[None]:
    """Note when a finding was looked at, and when one was for a change in `asked`: resource to time."""
    look = Recheck._recheck_one  # noqa: SLF001 -- what is measured

    def note(recheck: Recheck, life: Life, *, by_change: bool) -> Life:
        after = look(recheck, life, by_change=by_change)
        now = recheck._run.now()  # noqa: SLF001 -- the emulated clock
        if life.is_open:
            result.looks.setdefault(life.id, [life.created_at]).append(now)
        resource = next((each for each in asked if life.finding.resource.id.endswith(each)), None)
        if resource and by_change:
            result.reached.append(now - asked.pop(resource))
        if not after.is_open:
            # A finding that is resolved is looked at no longer.
            result.looks.pop(life.id, None)
        return after

    with patch.object(Recheck, "_recheck_one", note):
        yield


def main() -> None:
    """Play it, and print what came of it."""
    with emulated_aws() as aws:
        prepare(aws, "findings", os.environ)  # type: ignore[arg-type]  # it is a mapping of strings
        aws.client("securityhub").enable_security_hub()
        aws.client("ecr").create_repository(repositoryName="shop/web")
        findings = OpenFindings(aws, int(sys.argv[1]) if len(sys.argv) > 1 else FINDINGS)
        processor = time.process_time()
        result = play(findings)
    gaps = result.gaps
    in_time = sum(each <= RECHECK_MINUTES * 60 for each in gaps)
    sys.stdout.write(
        f"{len(gaps):,} open findings of three kinds, by the emulated clock of bench/lambda_time.py:\n"
        f"  looked at every {RECHECK_MINUTES} minutes           {in_time:10,}\n"
        f"  longest without a look               {max(gaps) / 60:10.1f} min\n"
        f"  a change reaches its finding within  {max(result.reached, default=0):10.0f} s"
        f" ({len(result.reached)} changes)\n"
        f"  calls to AWS                         {result.calls:10,}"
        f" (at most {result.busiest} reads of one action a second, {result.throttled} throttled,"
        f" {result.late} runs too long)\n"
        f"  processor time                       {time.process_time() - processor:10.0f} s\n"
    )


if __name__ == "__main__":
    main()
