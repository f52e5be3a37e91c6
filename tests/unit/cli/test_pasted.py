"""What a paste of kubectl's output is read as."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pull_responder.cli.explain_text import commands_for, lines_of
from pull_responder.cli.pasted import Pasted, messages_of
from pull_responder.events.kubelet_message import read_message
from pull_responder.model.pull import Symptom
from tests.unit.cli.test_hostile_text import HOSTILE

IMAGE = "111111111111.dkr.ecr.us-east-1.amazonaws.com/team/app:v1"
OTHER = "111111111111.dkr.ecr.us-east-1.amazonaws.com/team/other:v1"
MISSING = f'Failed to pull image "{IMAGE}": failed to resolve reference "{IMAGE}": manifest unknown: not found'
THROTTLED = f'Failed to pull image "{OTHER}": toomanyrequests: Rate exceeded'
HEAD = "LAST SEEN   TYPE      REASON    OBJECT      MESSAGE\n"


def row(pod: str, message: str, *, seen: str = "5m", kind: str = "Warning   Failed ") -> str:
    return f"{seen:<12}{kind}   pod/{pod}   {message}\n"


def test_events_without_a_namespace_name_their_pods_alone() -> None:
    first, second = messages_of(HEAD + row("web-0", MISSING) + row("api-0", THROTTLED) + row("web-1", MISSING))
    assert (first.read.symptom, first.pods) == (Symptom.NOT_FOUND, ((None, "web-0"), (None, "web-1")))
    assert (second.read.symptom, second.pods) == (Symptom.THROTTLED, ((None, "api-0"),))
    assert commands_for(first)[0] == "pull-responder diagnose --pod NAMESPACE/web-0"


def test_an_image_that_only_waits_is_told_beside_one_with_its_reason() -> None:
    waits = row("api-0", f'Back-off pulling image "{OTHER}"', kind="Normal    BackOff")
    known, waiting = messages_of(HEAD + row("web-0", MISSING) + waits)
    assert (known.is_back_off, waiting.is_back_off) == (False, True)
    assert commands_for(waiting)[1] == "kubectl describe pod api-0 --namespace NAMESPACE"


def test_a_message_that_a_terminal_has_broken_is_read_whole() -> None:
    broken = row(
        "web-0",
        f'Failed to pull image "{IMAGE}": failed to resolve reference "{IMAGE}":\n    manifest unknown: not found',
    )
    (one,) = messages_of(HEAD + broken + row("web-0", "Error: ErrImagePull"))
    assert (one.read.symptom, one.pods) == (Symptom.NOT_FOUND, ((None, "web-0"),))


SCHEDULED = "Successfully assigned shop/pay-6d9-x1 to ip-10-0-1-2.ec2.internal\n"
BROKEN = f"  Normal   Scheduled  2m  default-scheduler  {SCHEDULED}".replace(" assigned", "\n  assigned")
OF_SCHEDULER = f"  Normal   Scheduled  2m  default-scheduler  {SCHEDULED}"


@pytest.mark.parametrize(
    "text",
    [
        f"{OF_SCHEDULER}  Warning  Failed  2m  kubelet  {MISSING}\n",
        f"  Warning  Failed  2m  kubelet  {MISSING}\n{OF_SCHEDULER}",
        f"{BROKEN}  Warning  Failed  2m  kubelet  {MISSING}\n",
        f"{SCHEDULED}{MISSING}",
        HEAD + row("pay-6d9-x1", SCHEDULED.strip(), kind="Normal    Scheduled") + row("pay-6d9-x1", MISSING),
        f"Name: pay-6d9-x1\nEvents:\n{OF_SCHEDULER}  Warning  Failed  2m  kubelet  {MISSING}\n",
    ],
)
def test_the_scheduler_names_the_pod(text: str) -> None:
    (one,) = messages_of(text)
    assert one.read.symptom is Symptom.NOT_FOUND
    assert commands_for(one)[0] == "pull-responder diagnose --pod shop/pay-6d9-x1"


def test_each_message_is_of_the_pod_that_was_scheduled_before_it() -> None:
    other = OF_SCHEDULER.replace("shop/pay-6d9-x1", "prod/api-0")
    failed = "  Warning  Failed  2m  kubelet  "
    first, second = messages_of(f"{OF_SCHEDULER}{failed}{MISSING}\n{other}{failed}{THROTTLED}\n")
    assert (first.pods, second.pods) == ((("shop", "pay-6d9-x1"),), (("prod", "api-0"),))


def test_a_pod_of_two_namespaces_has_neither_by_the_scheduler() -> None:
    assigned = "".join(
        row("web-0", f"Successfully assigned {where}/web-0 to n1", kind="Normal    Scheduled") for where in ("a", "b")
    )
    (one,) = messages_of(HEAD + assigned + row("web-0", MISSING))
    assert one.pods == ((None, "web-0"),)
    assert messages_of(f"Successfully assigned a/x to n1\nSuccessfully assigned b/y to n1\n{MISSING}")[0].pods == ()


@pytest.mark.parametrize("text", [MISSING, "hello world", "", f"kubelet: {THROTTLED}", "Normal  Pulled  x\n"])
def test_what_is_no_list_of_events_is_one_message(text: str) -> None:
    assert messages_of(text) == [Pasted(text, read_message(text))]


def test_a_hostile_name_is_one_word_of_no_command() -> None:
    """A pod's name has no characters that a shell would obey."""
    found = messages_of(
        HEAD
        + row("web-0;rm$(x)", MISSING)
        + f"Name: $(id)\nNamespace: `id`\nEvents:\n  Warning  Failed  1s  kubelet  {THROTTLED}\n"
    )
    commands = [command for each in found for command in commands_for(each)]
    assert "pull-responder diagnose --pod '`id`'/'$(id)'" in commands
    assert not any(";" in command for command in commands)


@settings(deadline=None)
@given(
    st.lists(
        HOSTILE
        | st.sampled_from(
            [HEAD, row("a", MISSING), "Name: x", "Namespace: y", "  Warning  Failed  1s  z  ", MISSING, "\n"]
        ),
        max_size=12,
    )
)
def test_any_paste_is_told_in_printable_lines(parts: list[str]) -> None:
    for each in messages_of("".join(parts)):
        assert all(line.isprintable() for line in lines_of(each, None, 80))
