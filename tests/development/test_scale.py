"""A small organization of bench/scale.py: what it counts and prints, and that each environment has its own clients."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from bench.environments import MEMORY, SERVICES, Environments
from bench.lambda_time import Deployment, Ran
from bench.limits import MEGABYTES_OF_A_PROCESSOR, documented_limit
from bench.scale_report import Played, report
from bench.table_units import TableUnits

START = 1_000.0


def _played(**more: Any) -> Played:  # noqa: ANN401 -- what Played takes
    deployment = Deployment(START, limit_of=documented_limit, environments=Environments({}), units=TableUnits())
    deployment.now = START + 60
    deployment.ran += [Ran("diagnose", START, 10, 25, 0.1), Ran("diagnose", START + 5, 10, 1, 9.0)]
    return Played("a world", deployment, come={1_001: 26, 900: 7}, begins=START, said=[], **more)


def _call(played: Played, account: str, what: str, number: int, *, refused: int = 0) -> None:
    """Have so many calls made in a second, of which AWS refused `refused`."""
    service, operation = what.split()
    played.deployment.by_account[account, service, operation][1_002] += number
    played.deployment.refused[account, service, operation] += refused


def _line(text: str, beginning: str) -> list[str]:
    (line,) = [each for each in text.splitlines() if each.strip().startswith(beginning)]
    return line.strip().removeprefix(beginning).split()


def test_calls_are_those_of_the_busiest_account() -> None:
    played = _played()
    _call(played, "1", "iam GetRole", 4)
    _call(played, "2", "iam GetRole", 8)
    _call(played, "123456789012", "sts AssumeRole", 2)
    text = report(played)
    assert _line(text, "iam GetRole (member)")[:2] == ["0.2", "8"]
    assert "100 + 20/s ?" in text, "AWS documents no limit of IAM"
    assert _line(text, "sts AssumeRole (hub)")[1] == "2"
    assert all(len(each) <= 100 for each in text.splitlines() if "mean/s" in each or "(member)" in each)


def test_what_was_refused_gives_first_and_then_what_was_used_most() -> None:
    played = _played()
    assert "gives first: runs of diagnose at once (20% used, 0 refused)" in report(played)
    _call(played, "1", "cloudtrail LookupEvents", 9, refused=2)
    text = report(played)
    assert "gives first: cloudtrail LookupEvents (member)" in text
    assert "setting: lookUpChanges" in text


def test_audit_logs_are_computed_for_the_clusters_that_send_them() -> None:
    text = report(_played(audited=(2_000, 10)))
    assert _line(text, "stream of audit logs: records (computed)")[1:] == ["2,000", "2,000", "4,000", "50%", "0"]
    assert "stream" not in report(_played())


def test_what_waits_longer_than_it_works_is_paid_for_its_waiting() -> None:
    text = report(_played(multiplied=1440))
    worked = 9.0 * MEGABYTES_OF_A_PROCESSOR / MEMORY
    dollars = 1440 * ((10 + worked) * MEMORY / 1024 * 0.0000133334 + 2 * 0.20 / 1e6)
    assert f"functions {dollars:.2f}" in text
    assert f"events between accounts {1440 * 26 / 1e6:.2f}" in text, "what came before is not counted"
    assert _line(text, "events on the hub's bus")[:2] == ["0.4", "26"]


def test_of_a_tenth_the_hub_has_more_and_a_member_the_same() -> None:
    played = _played(share=10)
    _call(played, "1", "iam GetRole", 8)
    _call(played, "123456789012", "securityhub BatchImportFindings", 2)
    text = report(played)
    assert _line(text, "iam GetRole (member)")[1:3] == ["8", "8"]
    assert _line(text, "securityhub BatchImportFindings (hub)")[1:3] == ["2", "15"], "15 runs instead of 2"
    assert _line(text, "securityhub BatchImportFindings (hub)")[-2:] == ["50%", "0"]
    assert _line(text, "events on the hub's bus")[1:3] == ["26", "260"]
    assert _line(text, "runs of diagnose at once")[1:4] == ["2", "4", "10"], "twenty seconds a minute, ten times"
    assert f"events between accounts {10 * 26 / 1e6:.2f}" in text


def test_each_environment_makes_clients_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "123456789012")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    from pull_responder.facts.aws import Aws  # noqa: PLC0415 -- beside what is patched
    from pull_responder.model.arn import Arn  # noqa: PLC0415

    spent: list[float] = []
    environments = Environments(dict.fromkeys(SERVICES, 0.01), spend=spent.append)
    until = datetime.now(UTC) + timedelta(hours=1)

    class Sts:
        meta = SimpleNamespace(region_name="us-east-1")

        def assume_role(self, *, RoleArn: str, **_: Any) -> Any:  # noqa: ANN401, N803 -- as boto3 names it
            from bench.environments import note_account  # noqa: PLC0415

            note_account(RoleArn, RoleArn.split(":")[4])
            return {
                "Credentials": {
                    "AccessKeyId": RoleArn,
                    "SecretAccessKey": "s",
                    "SessionToken": "t",
                    "Expiration": until,
                }
            }

    monkeypatch.setattr(Aws, "_sts", lambda *_: Sts())
    own = Arn.parse("arn:aws:lambda:us-east-1:123456789012:function:diagnose")
    with environments.shared():
        both = [Aws.connect(member_role="Reader", identity=own, region="us-east-1") for _ in range(2)]
        for aws in both:
            for _ in range(3):
                aws.client("iam", account="111111111111", region="us-east-1")
                aws.client("iam", account=None, region="us-east-1")
    assert environments.clients == {"iam": 2}, "each keeps its own, and our own account's are not counted"
    assert spent == [pytest.approx(0.01 * MEGABYTES_OF_A_PROCESSOR / MEMORY)] * 2


def test_an_environment_serves_one_run_at_a_time() -> None:
    environments = Environments({})
    first, second = environments.take("diagnose"), environments.take("diagnose")
    assert first is not second
    environments.give_back("diagnose", first)
    assert environments.take("recheck") is not first
    assert environments.take("diagnose") is first
