"""What the demo calls a problem: anything between the break and the pull that works again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pull_responder.cli.demo.breaks import BREAKS
from pull_responder.cli.demo.delivery import Mail
from pull_responder.cli.demo.estate import Node
from pull_responder.cli.demo.function import Invocation
from pull_responder.cli.demo.image_pull import Call, ImagePull
from pull_responder.cli.demo.shell import Ran
from pull_responder.cli.demo.story import Episode

BROKEN = BREAKS[0]
PULLED = ImagePull((Call("BatchGetImage"),), "ASIAEXAMPLE")
DENIED = ImagePull((Call("BatchGetImage", "AccessDeniedException"),), "ASIAEXAMPLE")
RAN = Ran("aws iam fix", "123456789012", 0, "")
FAILED = Ran("aws iam fix", "123456789012", 254, "no such role")
FINDING = {"id": "finding-1", "cause": BROKEN.cause, "resource": {"id": BROKEN.resource_arn}}
OTHER = {"id": "finding-2", "cause": "scp_blocks_pull", "resource": {"id": BROKEN.resource_arn}}
MAIL = Mail("sender", "subject", "Run:\n    aws iam fix\n", {})
ALL_WELL = Episode(
    broken=BROKEN,
    node=Node("web", "i-0123456789abcdef0", "prod-web-node", BROKEN.resource_arn, "AROAEXAMPLE"),
    before=PULLED,
    breaking=RAN,
    denied=DENIED,
    event={},
    invocation=Invocation({"batchItemFailures": []}, ""),
    findings=(FINDING,),
    mails=(MAIL,),
    stored=({"Id": "finding-1"},),
    fixing=(RAN,),
    after=PULLED,
)

PROBLEMS: list[tuple[dict[str, Any], str]] = [
    ({"before": DENIED}, "the pull was refused before anything was broken: BatchGetImage"),
    ({"breaking": FAILED}, "the break could not be made: no such role"),
    ({"denied": PULLED}, "the pull still worked after the break"),
    (
        {"invocation": Invocation({"batchItemFailures": [{"itemIdentifier": "1"}]}, "first\nthe topic is gone\n")},
        "the function left the event in its queue: the topic is gone",
    ),
    ({"findings": (), "stored": ()}, f"expected {BROKEN.cause} on {BROKEN.resource_arn}, and found nothing"),
    (
        {"findings": (FINDING, OTHER), "stored": ({"Id": "finding-1"}, {"Id": "finding-2"})},
        (
            f"expected {BROKEN.cause} on {BROKEN.resource_arn}, and found "
            f"[('{BROKEN.cause}', '{BROKEN.resource_arn}'), ('scp_blocks_pull', '{BROKEN.resource_arn}')]"
        ),
    ),
    ({"stored": ()}, "Security Hub stores other findings: none"),
    ({"mails": (MAIL, MAIL)}, "2 messages came from the topic, not 1"),
    ({"mails": (replace(MAIL, body="Run it."),)}, "the message does not have the command `aws iam fix`"),
    ({"fixing": (FAILED,)}, "the fix `aws iam fix` ended with exit status 254: no such role"),
    ({"after": DENIED}, "the pull is still refused after the fix: BatchGetImage"),
]


def test_no_problem_when_all_is_well() -> None:
    assert ALL_WELL.problems == ()


@pytest.mark.parametrize(("change", "problem"), PROBLEMS, ids=[problem for _, problem in PROBLEMS])
def test_each_problem_is_said_and_no_other(change: dict[str, Any], problem: str) -> None:
    assert replace(ALL_WELL, **change).problems == (problem,)
