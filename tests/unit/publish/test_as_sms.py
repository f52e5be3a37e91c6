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
from pull_responder.findings.flapping import IT_FLAPS
from pull_responder.findings.notice import IT_GREW, Edge, Notice
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
        f"cluster prod cannot pull the image payments/api.\n{DO_THIS}"
    )


@pytest.mark.parametrize(("edge", "word"), [(Edge.WORSE, "WORSE"), (Edge.REMINDER, "STILL OPEN for 48 minutes,")])
def test_each_edge_has_its_word(edge: Edge, word: str) -> None:
    assert alert_text(_of(edge=edge)) == alert_text(ALERT).replace("NEW", word, 1)


@pytest.mark.parametrize(
    ("because", "word", "said"),
    [
        (
            "It had been resolved.",
            "BACK",
            "It may break again: find in CloudTrail what undoes the fix.",
        ),
        (f"{IT_FLAPS} twice.", "BACK (flapping)", "Flapping: silence does not mean that it is fixed."),
    ],
)
def test_what_came_back_says_what_that_means(because: str, word: str, said: str) -> None:
    assert alert_text(_of(edge=Edge.BACK, because=because)) == (
        f"{word} HIGH: The role lacks permissions to pull (prod-node). 14 pods in cluster prod cannot pull "
        f"the image payments/api.\n{DO_THIS}\n{said}"
    )


def test_what_has_got_worse_says_what_grew() -> None:
    because = f"{IT_GREW} from HIGH to CRITICAL, from 12 to 240 pods, from 2 to 104 nodes."
    first, _, todo = alert_text(_of(edge=Edge.WORSE, because=because)).partition("\n")

    assert first == (
        "WORSE HIGH: The role lacks permissions to pull (prod-node). 14 pods in cluster prod cannot pull "
        "the image payments/api. From HIGH to CRITICAL, from 12 to 240 pods, from 2 to 104 nodes."
    )
    assert todo == DO_THIS


def test_of_several_causes_it_says_what_grew_too() -> None:
    because = f"{IT_GREW} from 12 to 240 pods."
    worse = replace(BOTH, notices=tuple(replace(each, edge=Edge.WORSE, because=because) for each in BOTH.notices))

    assert alert_text(worse).splitlines()[0] == (
        "WORSE HIGH, 2 causes: 14 pods in cluster prod cannot pull the image payments/api. From 12 to 240 pods."
    )


@given(st.text(st.sampled_from("ab ,.^{~|\n\N{HORIZONTAL ELLIPSIS}"), max_size=60), st.integers(-3, 50))
def test_a_text_is_cut_to_any_room(text: str, room: int) -> None:
    kept = fit(text, room)

    assert size(kept) <= max(room, 0)
    assert kept == text or room < 3 or kept.endswith("...")


def test_several_causes_have_all_their_fixes() -> None:
    """Who makes one of them finds that the pods still fail."""
    assert alert_text(BOTH).splitlines() == [
        (
            "NEW HIGH: role lacks pull permissions, permissions boundary blocks pull. "
            "14 pods in cluster prod cannot pull the image payments/api."
        ),
        "Do both in 111111111111 eu-west-1:",
        "1. Attach the managed policy AmazonEC2ContainerRegistryPullOnly to the role.",
        "2. Add the actions to the boundary.",
    ]
    three = replace(BOTH, notices=(*BOTH.notices, replace(NOTICE, finding=replace(BOUNDARY, id="x"))))
    assert "\nDo all 3 in 111111111111 eu-west-1:\n1. Attach " in alert_text(three)


def test_causes_that_were_told_before_have_their_fixes_too() -> None:
    assert alert_text(replace(ALERT, others=(BOUNDARY,))) == alert_text(BOTH)
    assert ": role lacks pull permissions, permissions boundary blocks pull and 7 more. 14 pods " in alert_text(
        replace(ALERT, others=(BOUNDARY,), unnamed=7)
    )
    assert "\nDo all 9 in " in alert_text(replace(ALERT, others=(BOUNDARY,), unnamed=7))


def test_fixes_in_several_places_have_each_its_own() -> None:
    elsewhere = replace(BOUNDARY, remediation=replace(BOUNDARY.remediation, account="222222222222"))

    assert alert_text(replace(ALERT, others=(elsewhere,))).splitlines()[1:] == [
        "Do both:",
        "1. In 111111111111 eu-west-1: Attach the managed policy AmazonEC2ContainerRegistryPullOnly to the role.",
        "2. In 222222222222 eu-west-1: Add the actions to the boundary.",
    ]


def test_fixes_that_do_not_fit_are_cut_at_the_end_but_counted() -> None:
    """What is left of a step has to say something."""
    fix = replace(BOUNDARY.remediation, summary="Allow the two actions in the boundary of the role " + "as is " * 40)
    long = replace(BOUNDARY, remediation=fix)

    text = alert_text(replace(ALERT, others=(long,)))
    assert "\n2. Allow the two actions in the boundary of" in text
    assert text.endswith("...")
    assert text.startswith("NEW HIGH: role lacks pull permissions, permissions boundary blocks pull. 14 pods ")
    first = replace(FINDING, remediation=replace(FINDING.remediation, summary="Attach the policy " + "as is " * 27))
    text = alert_text(replace(_of(finding=first), others=(long,)))
    assert "\nDo both in 111111111111 eu-west-1:\n1. Attach the policy as is" in text
    assert "\n2. Allow the two actions in the" in text


def test_a_policy_of_the_organization_says_whom_to_call_and_no_region() -> None:
    fix = replace(
        FINDING.remediation,
        account="999999999999",
        summary="Ask an administrator of the organization (account 999999999999) to exempt the roles " * 3,
    )
    finding = replace(FINDING, cause="scp_blocks_pull", account="999999999999", remediation=fix)
    unnamed = replace(finding, remediation=replace(fix, summary="Detach it."))

    text = alert_text(_of(finding=finding))
    assert "\nDo this: Ask an administrator of the organization (account 999999999999) to exempt " in text
    assert "eu-west-1" not in text
    assert alert_text(_of(finding=unnamed)).endswith("\nDo this in account 999999999999: Detach it.")
    over = alert_text(_of(finding=finding, edge=Edge.RESOLVED, because=ENDED))
    assert over.startswith("RESOLVED in account 999999999999: 14 pods ")


@pytest.mark.parametrize(
    ("counts", "line"),
    [
        ((412, 208, 131, 77), "\nWorst hit: prod, shop, stage."),
        ((), ""),  # which have the most failures is not known
    ],
)
def test_the_clusters_that_are_hit_most_are_named_if_they_fit(counts: tuple[int, ...], line: str) -> None:
    clusters = ("prod", "shop", "stage", "dev")
    reach = Reach(events=900, principal_count=100, clusters=clusters, cluster_count=4, cluster_events=counts)
    finding = replace(FINDING, remediation=replace(FINDING.remediation, short="Detach the policy."))

    text = alert_text(Alert("p", (replace(NOTICE, finding=finding, reach=reach),), reach=reach))
    assert text.endswith(f"Detach the policy.{line}")
    long = replace(finding, remediation=replace(FINDING.remediation, short="Detach the policy" + " now" * 30))
    tight = alert_text(Alert("p", (replace(NOTICE, finding=long, reach=reach),), reach=reach))
    assert "stage" not in tight
    assert parts(tight) <= PARTS


def test_several_causes_that_ended_are_counted() -> None:
    both = tuple(replace(each, edge=Edge.RESOLVED, because=ENDED, fixed_by=(DEED,)) for each in BOTH.notices)

    assert "\nAnd 1 more cause of the same pulls." in alert_text(replace(BOTH, notices=both))


def test_a_resolution_says_for_whom_where_since_when_and_by_whom() -> None:
    ended = "The role can pull again since 2026-05-04 12:30 UTC; it was broken for 2 hours 18 minutes."
    over = _of(edge=Edge.RESOLVED, because=ENDED, fixed_by=(DEED,))

    assert alert_text(over).splitlines() == [
        "RESOLVED in 111111111111 eu-west-1: 14 pods in cluster prod could not pull the image payments/api.",
        f"role/eks/prod-node: {ended}",
        "There is nothing to run.",
        "Changed before the end: AttachRolePolicy by admin/jo.",
    ]
    nobody = alert_text(_of(edge=Edge.RESOLVED, because="It does not exist any more.", fixed_by=(DEED,)))
    assert "Changed before" not in nobody
    unread = alert_text(replace(over, others_known=False))
    assert unread.endswith("\nWhether something else stops these pulls could not be read.")
    assert "No other cause" not in unread


@pytest.mark.parametrize(
    ("by", "words"),
    [
        ("arn:aws:iam::111111111111:user/jo", "user/jo"),
        ("arn:aws:sts::222222222222:assumed-role/admin/jo", "admin/jo of account 222222222222"),
        ("autoscaling.amazonaws.com", "autoscaling.amazonaws.com"),
    ],
)
def test_who_changed_it_has_a_short_name(by: str, words: str) -> None:
    """A role of another account has its account's name with it: two accounts may both have an admin."""
    deed = replace(DEED, by=by)
    because = f"It is mended; {deed.words}."

    text = alert_text(_of(edge=Edge.RESOLVED, because=because, fixed_by=(deed,)))
    assert f"\nChanged before the end: AttachRolePolicy by {words}.\n" in text


def test_a_resolution_says_what_still_stops_the_pulls() -> None:
    over = replace(_of(edge=Edge.RESOLVED, because=ENDED, fixed_by=(DEED,)), others=(BOUNDARY,))

    assert alert_text(over).splitlines() == [
        (
            "STILL BROKEN, HIGH: The role's permissions boundary stops the pull (prod-node). "
            "14 pods in cluster prod cannot pull the image payments/api."
        ),
        "Do this in 111111111111 eu-west-1: Add the actions to the boundary.",
        "Already fixed: The role can pull again.",
    ]
    long = replace(BOUNDARY, remediation=replace(BOUNDARY.remediation, summary="Add the actions " + "to it " * 50))
    text = alert_text(replace(over, others=(long,)))
    assert " (prod-node). 14 pods in cluster prod cannot pull the image payments/api.\nDo this in 1" in text
    assert "\nDo this in 111111111111 eu-west-1: Add the actions to it to it" in text
    text = alert_text(replace(over, others=(BOUNDARY, FINDING, FINDING)))
    assert text.startswith("STILL BROKEN, HIGH, 3 causes: 14 pods in cluster prod cannot pull the image ")
    assert "\nDo all 3 in " in text
    wide = _of(edge=Edge.RESOLVED, because="~{}" * 90, finding=replace(FINDING, title="x" * 90))
    text = alert_text(replace(wide, others=(long,) * 5))
    assert text.startswith("STILL BROKEN, HIGH, 5 causes: 14 pods in cluster prod")
    assert size(text) <= 306
    both = tuple(replace(each, edge=Edge.RESOLVED, because=ENDED) for each in BOTH.notices)
    assert alert_text(replace(over, notices=both)).endswith("\nAlready fixed: The role can pull again, and 1 more.")


def test_a_count_that_is_too_low_says_so() -> None:
    many = Reach(events=20_000, pod_count=10_000, more=("pods",))

    assert " more than 10,000 pods in cluster prod cannot pull the image payments/api.\n" in alert_text(_of(reach=many))


def test_a_digest_says_how_many_and_what_to_do_about_the_worst() -> None:
    assert digest_text([NOTICE, replace(NOTICE, finding=BOUNDARY)]) == (
        "DIGEST: 2 new pull failures, HIGH: at least 14 pods in cluster prod cannot pull the image payments/api.\n"
        "Do both in 111111111111 eu-west-1:\n"
        "1. Add the actions to the boundary.\n"
        "2. Attach the managed policy AmazonEC2ContainerRegistryPullOnly to the role."
    )
    one = digest_text([NOTICE])
    assert "\nDo this in 111111111111 " in one
    assert "Also" not in one


def test_a_digest_has_something_of_each_fix_rather_than_the_names_of_causes() -> None:
    title = "No route leads from the node to the registry"
    long = replace(BOUNDARY, title=title, remediation=replace(BOUNDARY.remediation, summary="Give it " + "one " * 30))

    text = digest_text([NOTICE, replace(NOTICE, finding=long)])
    assert text.startswith("DIGEST: 2 new pull failures, HIGH: at least 14 pods in cluster prod cannot pull ")
    assert "\n1. Give it one one" in text
    assert "\n2. Attach the managed policy" in text


def test_a_cut_fix_of_a_digest_says_first_what_it_is_about() -> None:
    role = replace(FINDING.resource, id="arn:aws:iam::111111111111:role/eks/batch-node")
    fix = replace(FINDING.remediation, summary="Attach a policy " + "of that kind " * 20 + "to the role batch-node.")
    text = digest_text(
        [replace(NOTICE, finding=BOUNDARY), replace(NOTICE, finding=replace(FINDING, resource=role, remediation=fix))]
    )

    assert "\n1. prod-node: Add the actions to the boundary.\n2. batch-node: Attach a policy of that" in text


def test_a_digest_of_more_than_it_can_tell_says_what_to_do_first() -> None:
    every = [
        replace(NOTICE, finding=replace(BOUNDARY, id=f"pull-responder/{each}", cause=f"cause_{each}"))
        for each in range(6)
    ]
    text = digest_text(every)

    assert "Worst, HIGH: The role's permissions boundary stops the pull (prod-node)" in text
    assert "\nDo this first in 111111111111 eu-west-1: Add the actions to the boundary." in text


def test_a_digest_of_what_is_over_asks_for_nothing() -> None:
    over = replace(NOTICE, edge=Edge.RESOLVED, because=ENDED, fixed_by=(DEED,))

    assert digest_text([over, over]) == (
        "DIGEST: 2 resolved findings of 1 cause in cluster prod. 2 role lacks pull permissions.\n"
        "prod-node: The role can pull again since 2026-05-04 12:30 UTC; it was broken for 2 hours 18 minutes.\n"
        "Changed before the end: AttachRolePolicy by admin/jo."
    )


def test_what_is_too_long_keeps_what_is_broken_and_what_to_do() -> None:
    pull = replace(PULL, repository="team/" + "a-service-" * 20)
    fix = replace(FINDING.remediation, summary="Attach the policy " + "to this role " * 50)
    text = alert_text(_of(finding=replace(FINDING, pull=pull, remediation=fix, cluster="c" * 90)))

    assert text.startswith("NEW HIGH: The role lacks permissions to pull. 14 pods in cluster ccc")
    assert "\nDo this in 111111111111 eu-west-1: Attach the policy to this role" in text
    assert parts(text) == PARTS


def test_nothing_is_outside_the_alphabet_or_a_link() -> None:
    """One such character would make each part 70 characters."""
    pull = replace(PULL, repository="https://evil.example/`größe`×2")
    text = alert_text(_of(finding=replace(FINDING, pull=pull)))

    assert "cannot pull the image https(:)//".replace("(", "[").replace(")", "]") in text
    assert "evil[.]example/'gr??e'x2" in text


def test_a_text_is_measured_as_phones_do() -> None:
    assert (size("abc"), size("a[b]"), size("~")) == (3, 6, 2)
    assert fit("one two [three]", 12) == "one two..."
    assert fit("one two", -4) == ""
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
        assert text.count("\n") <= 7


def test_a_fix_has_its_short_form_so_that_each_of_several_is_whole() -> None:
    short = replace(FINDING.remediation, short="Attach PullOnly to role prod-node.", summary="Attach " + "it " * 80)
    other = replace(BOUNDARY.remediation, short='In boundary "guard", allow both.', summary="In the " + "it " * 80)
    first = replace(NOTICE, finding=replace(FINDING, remediation=short))
    both = replace(BOTH, notices=(first, replace(NOTICE, finding=replace(BOUNDARY, remediation=other))))

    assert alert_text(both).splitlines()[1:] == [
        "Do both in 111111111111 eu-west-1:",
        "1. Attach PullOnly to role prod-node.",
        '2. In boundary "guard", allow both.',
    ]
    assert alert_text(Alert.alone(first)).endswith("eu-west-1: Attach PullOnly to role prod-node.")


def test_what_came_back_says_who_may_undo_the_fix_again() -> None:
    deed = Deed("DetachRolePolicy", "arn:aws:sts::111111111111:assumed-role/terraform/ci", "2026-05-04T10:49:00Z")

    assert alert_text(_of(edge=Edge.BACK, because="It had been resolved.", broken_by=deed)).endswith(
        f"\n{DO_THIS}\nterraform/ci may undo this again: fix it there, too."
    )
