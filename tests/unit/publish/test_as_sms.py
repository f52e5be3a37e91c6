"""What a subscriber reads in a text message."""
# ruff: noqa: RUF001 -- the multiplication sign

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pull_responder.findings.alert import Alert
from pull_responder.findings.deed import Deed
from pull_responder.findings.notice import Edge, Notice
from pull_responder.findings.reach import Reach
from pull_responder.publish.as_sms import PARTS, alert_text, digest_text, fit, parts, size
from tests.unit.publish.examples import FINDING, PULL
from tests.unit.publish.notices import ALERT, BOTH, BOUNDARY, NOTICE, alerts, notices

DO_THIS = "Do this in 111111111111 eu-west-1: Attach the managed policy AmazonEC2ContainerRegistryPullOnly to the role."
DEED = Deed("AttachRolePolicy", "arn:aws:sts::111111111111:assumed-role/admin/jo", "2026-05-04T12:30:00Z", "0e1c")
ENDED = f"The role can pull again since 2026-05-04 12:30 UTC; it was broken for 2 hours 18 minutes; {DEED.words}."


def _of(**changes: Any) -> Alert:  # noqa: ANN401 -- any field of Notice
    return Alert.alone(replace(NOTICE, **changes))


def test_an_alert_says_what_is_broken_for_whom_how_many_and_what_to_do() -> None:
    assert alert_text(ALERT) == (
        "NEW HIGH: The role lacks permissions to pull (prod-node). 14 pods (payments/api, payments/web and more) in "
        f"cluster prod cannot pull payments/api.\n{DO_THIS}"
    )


@pytest.mark.parametrize(("edge", "word"), [(Edge.WORSE, "WORSE"), (Edge.BACK, "BACK"), (Edge.REMINDER, "STILL OPEN")])
def test_each_edge_has_its_word(edge: Edge, word: str) -> None:
    assert alert_text(_of(edge=edge)) == alert_text(ALERT).replace("NEW", word, 1)


def test_several_causes_are_counted_and_the_worst_has_its_fix() -> None:
    text = alert_text(BOTH)

    assert text == (
        "NEW HIGH: The role lacks permissions to pull (prod-node). Also: The role's permissions boundary stops the "
        f"pull. 14 pods in cluster prod cannot pull payments/api.\n{DO_THIS.replace('Do this', 'Do this first')}"
    )
    three = replace(BOTH, notices=(*BOTH.notices, replace(NOTICE, finding=replace(BOUNDARY, id="x"))))
    assert alert_text(three).startswith("NEW HIGH: The role lacks permissions to pull (prod-node), and 2 more causes. ")


def test_causes_that_were_told_before_are_counted_too() -> None:
    """Who mends the one that is told now finds that the pods still fail."""
    text = alert_text(replace(ALERT, others=(BOUNDARY, replace(BOUNDARY, id="x"))))

    assert text.startswith("NEW HIGH: The role lacks permissions to pull (prod-node), and 2 more causes. 14 pods ")
    assert "\nDo this first in " in text
    assert " Also: The role's permissions boundary stops the pull. " in alert_text(replace(ALERT, others=(BOUNDARY,)))


def test_causes_that_do_not_fit_by_name_are_counted() -> None:
    long = replace(BOUNDARY, title="The boundary of the role stops it, and this is why it does " * 2)
    pull = replace(PULL, repository="payments/" + "a" * 30)
    finding = replace(FINDING, pull=pull, title="The role lacks permissions to pull, as it is now")
    alert = replace(_of(finding=finding), others=(long,))

    assert ", and 1 more cause. 14 pods in cluster prod cannot " in alert_text(alert)


def test_several_causes_that_ended_are_counted() -> None:
    both = tuple(replace(each, edge=Edge.RESOLVED, because=ENDED, fixed_by=(DEED,)) for each in BOTH.notices)

    assert "\nAnd 1 more cause of the same pulls.\n14 pods " in alert_text(replace(BOTH, notices=both))


def test_a_resolution_asks_for_nothing() -> None:
    assert alert_text(_of(edge=Edge.RESOLVED, because=ENDED, fixed_by=(DEED,))) == (
        "RESOLVED role/eks/prod-node: The role can pull again since 2026-05-04 12:30 UTC; it was broken for 2 hours 18 "
        "minutes.\n14 pods in cluster prod could not pull payments/api."
    )


def test_a_resolution_says_what_still_stops_the_pulls() -> None:
    over = replace(_of(edge=Edge.RESOLVED, because=ENDED, fixed_by=(DEED,)), others=(BOUNDARY,))

    assert alert_text(over).splitlines() == [
        (
            "RESOLVED in part. Still HIGH: The role's permissions boundary stops the pull (prod-node). "
            "14 pods (payments/api, payments/web and more) in cluster prod still cannot pull payments/api."
        ),
        "Do this in 111111111111 eu-west-1: Add the actions to the boundary.",
    ]
    few = replace(over, reach=replace(over.reach, pods=()))
    assert alert_text(few).splitlines()[2] == (
        "Resolved: role/eks/prod-node: The role can pull again since 2026-05-04 12:30 UTC."
    )
    others = (BOUNDARY, FINDING, FINDING)
    assert " stops the pull (prod-node), and 2 more causes. 14 pods " in alert_text(replace(over, others=others))
    assert "could not be read." in alert_text(replace(over, others=(), others_known=False))


def test_a_count_that_is_too_low_says_so() -> None:
    many = Reach(events=20_000, pod_count=10_000, more=("pods",))

    assert " more than 10,000 pods in cluster prod cannot pull payments/api.\n" in alert_text(_of(reach=many))


def test_a_digest_says_how_many_and_what_to_do_about_the_worst() -> None:
    assert digest_text([NOTICE, replace(NOTICE, finding=BOUNDARY)]) == (
        "DIGEST: 2 new pull failures of 2 causes in cluster prod. Worst, HIGH: The role's permissions boundary stops "
        "the pull (prod-node), 14 pods.\nDo this first in 111111111111 eu-west-1: Add the actions to the boundary."
    )


def test_a_digest_of_what_is_over_asks_for_nothing() -> None:
    over = replace(NOTICE, edge=Edge.RESOLVED, because=ENDED, fixed_by=(DEED,))

    assert digest_text([over, over]) == (
        "DIGEST: 2 resolved findings of 1 cause in cluster prod.\nprod-node: The role can pull again since 2026-05-04 "
        "12:30 UTC; it was broken for 2 hours 18 minutes."
    )


def test_what_is_too_long_keeps_what_is_broken_and_what_to_do() -> None:
    pull = replace(PULL, repository="team/" + "a-service-" * 20)
    fix = replace(FINDING.remediation, summary="Attach the policy " + "to this role " * 50)
    text = alert_text(_of(finding=replace(FINDING, pull=pull, remediation=fix, cluster="c" * 90)))

    assert text.startswith("NEW HIGH: The role lacks permissions to pull (prod-node). 14 pods in cluster ccc")
    assert "\nDo this in 111111111111 eu-west-1: Attach the policy to this role" in text
    assert parts(text) == PARTS


def test_nothing_is_outside_the_alphabet_or_a_link() -> None:
    """One such character would make each part 70 characters."""
    pull = replace(PULL, repository="https://evil.example/`größe`×2")
    text = alert_text(_of(finding=replace(FINDING, pull=pull)))

    assert "cannot pull https(:)//".replace("(", "[").replace(")", "]") in text
    assert "evil[.]example/'gr??e'x2" in text


def test_a_text_is_measured_as_phones_do() -> None:
    assert (size("abc"), size("a[b]"), size("~")) == (3, 6, 2)
    assert fit("one two [three]", 12) == "one two..."
    assert parts("x" * 153) == 1
    assert parts("x" * 152 + " y") == 2
    assert parts(" ".join(["x" * 100] * 3)) == 3


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large], deadline=None, max_examples=60)
@given(alerts, st.lists(notices, min_size=1, max_size=6))
def test_any_message_is_two_parts_of_the_alphabet(alert: Alert, digest: list[Notice]) -> None:
    for text in (alert_text(alert), digest_text(digest)):
        assert text.replace("\n", "").isascii()
        assert text.replace("\n", "").isprintable()
        assert "`" not in text
        assert "://" not in text
        assert size(text) <= 306
        assert text.count("\n") <= 3
