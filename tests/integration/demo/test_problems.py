"""What the demo calls a problem: anything between the break and the finding that is resolved."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pull_responder.demo.breaks import BREAKS
from pull_responder.demo.delivery import Mail
from pull_responder.demo.episode import Delivery, Episode, Repeats
from pull_responder.demo.estate import Node
from pull_responder.demo.function import Invocation
from pull_responder.demo.image_pull import Call, ImagePull
from pull_responder.demo.shell import CommandResult
from pull_responder.findings.reach import Reach

BROKEN = BREAKS[0]
PULLED = ImagePull((Call("BatchGetImage"),), "ASIAEXAMPLE")
DENIED = ImagePull((Call("BatchGetImage", "AccessDeniedException"),), "ASIAEXAMPLE")
RAN = CommandResult("aws iam fix", "123456789012", 0, "")
FAILED = CommandResult("aws iam fix", "123456789012", 254, "no such role")
DONE = Invocation("handler", {"batchItemFailures": []}, "")
LEFT = Invocation("handler", {"batchItemFailures": [{"itemIdentifier": "1"}]}, "first\nthe topic is gone\n")
FINDING = {"id": "finding-1", "cause": BROKEN.cause, "resource": {"id": BROKEN.resource_arn}}
OTHER = {"id": "finding-2", "cause": "scp_blocks_pull", "resource": {"id": BROKEN.resource_arn}}
OPEN = {
    "Id": "finding-1",
    "Compliance": {"Status": "FAILED"},
    "RecordState": "ACTIVE",
    "Workflow": {"Status": "NEW"},
}
OVER = {
    "Id": "finding-1",
    "Compliance": {"Status": "PASSED"},
    "RecordState": "ARCHIVED",
    "Workflow": {"Status": "RESOLVED"},
}


def mail(edge: str, finding: dict[str, Any] = FINDING, *, events: int = 1) -> Mail:
    document = {"edge": edge, "findings": [finding], "reach": {"events": events}}
    return Mail("sender", f"[{edge}] subject", "Run:\n    aws iam fix\n", {}, document)


ALERT = Delivery(DONE, (mail("new"),), (OPEN,))
SILENCE = Delivery(DONE, (), (OPEN,))
END = Delivery(DONE, (mail("resolved", events=4),), (OVER,))
REPEATS = Repeats(messages=5, denials=3, nodes=2, delivery=SILENCE, reach=Reach(events=4, node_count=3))
ALL_WELL = Episode(
    broken=BROKEN,
    node=Node("web", "i-0123456789abcdef0", "prod-web-node", BROKEN.resource_arn, "AROAEXAMPLE"),
    before=PULLED,
    breaking=RAN,
    denied=DENIED,
    event={},
    alert=ALERT,
    repeats=REPEATS,
    fixing=(RAN,),
    after=PULLED,
    changes=({},),
    resolved=END,
)
WANTED = f"the alert should name {BROKEN.cause} on {BROKEN.resource_arn}, but names"
LEFT_IN_QUEUE = "the function left events in its queue: the topic is gone"

PROBLEMS: list[tuple[str, dict[str, Any], tuple[str, ...]]] = [
    ("no pull before", {"before": DENIED}, ("the pull was refused before anything was broken: BatchGetImage",)),
    ("no break", {"breaking": FAILED}, ("the break could not be made: no such role",)),
    ("nothing broken", {"denied": PULLED}, ("the pull still worked after the break",)),
    ("event left", {"alert": replace(ALERT, invocation=LEFT)}, (LEFT_IN_QUEUE,)),
    (
        "no alert",
        {"alert": replace(ALERT, mails=()), "fixing": ()},
        (
            f"{WANTED} nothing",
            "Security Hub stores other findings: ['finding-1']",
            "after the repeats Security Hub stores other findings: ['finding-1']",
            "the resolution was not notified exactly once: [('resolved', 'finding-1')]",
            (
                "Security Hub does not show it as resolved: "
                "[{'Compliance': 'PASSED', 'RecordState': 'ARCHIVED', 'Workflow': 'RESOLVED'}]"
            ),
        ),
    ),
    (
        "another cause",
        {
            "alert": Delivery(DONE, (mail("new", OTHER),), ({"Id": "finding-2"},)),
            "repeats": replace(REPEATS, delivery=Delivery(DONE, (), ({"Id": "finding-2"},))),
            "resolved": replace(END, mails=(mail("resolved", OTHER, events=4),)),
        },
        (f"{WANTED} [('scp_blocks_pull', '{BROKEN.resource_arn}')]",),
    ),
    (
        "notified as something else",
        {"alert": replace(ALERT, mails=(mail("worse"),))},
        ("the alert was not sent as a new finding: [('worse', 'finding-1')]",),
    ),
    ("not stored", {"alert": replace(ALERT, stored=())}, ("Security Hub stores other findings: none",)),
    (
        "notified twice",
        {"repeats": replace(REPEATS, delivery=replace(SILENCE, mails=(mail("worse"),)))},
        ("the repeats were not silent: [worse] subject",),
    ),
    (
        "another finding for the same",
        {"repeats": replace(REPEATS, delivery=replace(SILENCE, stored=(OPEN, {"Id": "finding-2"})))},
        ("after the repeats Security Hub stores other findings: ['finding-1', 'finding-2']",),
    ),
    ("repeats left", {"repeats": replace(REPEATS, delivery=replace(SILENCE, invocation=LEFT))}, (LEFT_IN_QUEUE,)),
    (
        "counted twice",
        {"repeats": replace(REPEATS, reach=Reach(events=6, node_count=3))},
        (
            "the table counts 6 failures on 3 nodes, not 4 on 3",
            "the resolution names 4 failures, but the table counts 6",
        ),
    ),
    (
        "a command that is not in the mail",
        {"alert": replace(ALERT, mails=(replace(mail("new"), body="Run it."),))},
        ("the mail does not have the command `aws iam fix`",),
    ),
    ("no fix", {"fixing": (FAILED,)}, ("the fix `aws iam fix` ended with exit status 254: no such role",)),
    ("no pull after", {"after": DENIED}, ("the pull is still refused after the fix: BatchGetImage",)),
    ("change left", {"resolved": replace(END, invocation=LEFT)}, (LEFT_IN_QUEUE,)),
    ("no end", {"resolved": replace(END, mails=())}, ("the resolution was not notified exactly once: not at all",)),
    (
        "resolution notified twice",
        {"resolved": replace(END, mails=END.mails * 2)},
        ("the resolution was not notified exactly once: [('resolved', 'finding-1'), ('resolved', 'finding-1')]",),
    ),
    (
        "an end with an old count",
        {"resolved": replace(END, mails=(mail("resolved", events=1),))},
        ("the resolution names 1 failures, but the table counts 4",),
    ),
    (
        "open in Security Hub",
        {"resolved": replace(END, stored=(OPEN,))},
        (
            (
                "Security Hub does not show it as resolved: "
                "[{'Compliance': 'FAILED', 'RecordState': 'ACTIVE', 'Workflow': 'NEW'}]"
            ),
        ),
    ),
    (
        "gone from Security Hub",
        {"resolved": replace(END, stored=())},
        ("Security Hub does not show it as resolved: not at all",),
    ),
]


def test_no_problem_when_all_is_well() -> None:
    assert ALL_WELL.problems == ()


@pytest.mark.parametrize(("change", "problems"), [row[1:] for row in PROBLEMS], ids=[row[0] for row in PROBLEMS])
def test_each_problem_is_said_and_no_other(change: dict[str, Any], problems: tuple[str, ...]) -> None:
    assert replace(ALL_WELL, **change).problems == problems
