"""What the page of `diagnose --report` says, and that text which others wrote stays text."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings

from pull_responder.checks import CHECKS
from pull_responder.model.verdict import DecidingPolicy, Resource, Severity
from tests.browser.pages import HOSTILE, denied, healthy, hostile, page, second, undecided, unreachable
from tests.unit.cli.test_hostile_text import HOSTILE as HOSTILE_TEXTS
from tests.unit.page.parsed import Parsed
from tests.unit.publish.examples import FINDING

SEVERAL = page(healthy(), undecided(), denied(), second(unreachable(), Severity.CRITICAL), not_asked=("none of ECR",))


def test_the_verdict_is_the_title_and_the_heading() -> None:
    found = Parsed(page(denied()))
    words = "The role lacks permissions to pull (role/eks/prod-node)"
    assert found.texts("title")[0] == words
    assert found.texts("h1") == [words]


def test_of_several_causes_the_heading_names_the_worst_and_the_fix_comes_before_the_picture() -> None:
    pull = denied()
    low = replace(FINDING, id="low", title="The repository has no such image", severity=Severity.LOW)
    diagnosis = replace(pull.diagnosis, findings=(low, *pull.diagnosis.findings, replace(low, id="lower")))
    found = Parsed(page(replace(pull, diagnosis=diagnosis)))
    assert found.texts("h1") == ["The role lacks permissions to pull (role/eks/prod-node), and 2 more causes"]
    classes = [each.attributes.get("class") for each in found.parts]
    assert classes.index("command") < classes.index("across")


def test_who_uses_the_image_and_who_waits_stands_with_the_answer() -> None:
    used = tuple(f"Deployment shop/web-{number}, container web (web.yaml:{number})" for number in range(12))
    found = Parsed(page(replace(denied(), used_by=used, waiting="3 pods on 2 nodes: shop/a, shop/b, shop/c")))
    assert [each for each in found.texts("bdi") if each.startswith("Deployment ")] == list(used)
    assert "2 more places" in found.texts("summary")
    assert dict(zip(found.texts("dt"), found.texts("dd"), strict=True))["Waiting"].startswith("3 pods on 2 nodes: ")


def test_a_long_message_is_folded_behind_its_first_words() -> None:
    pull = denied()
    failed = replace(pull.diagnosis.pull, denial=None, message="Failed to pull image: " + "x " * 200 + "i/o timeout")
    found = Parsed(page(replace(pull, diagnosis=replace(pull.diagnosis, pull=failed))))
    (folded,) = found.all("details", "message")
    assert folded.text.startswith("Failed to pull image: x x")
    assert folded.text.endswith("i/o timeout")
    failed = replace(failed, message="i/o timeout")
    found = Parsed(page(replace(pull, diagnosis=replace(pull.diagnosis, pull=failed))))
    assert found.all("details", "message") == []
    assert "i/o timeout" in found.texts("dd")


def test_names_break_behind_their_signs_and_commands_at_their_spaces() -> None:
    whole = page(denied())
    assert '<bdi class="name">arn:aws:iam::<wbr>111111111111:<wbr>role/eks/<wbr>prod-node</bdi>' in whole
    command = Parsed(whole).all("div", "command")[0].text.removesuffix("Copy")
    words = [each for each in Parsed(whole).texts("span", "word") if each != "eu-west-1"]
    assert words[: len(command.split(" "))] == command.split(" ")
    assert "https:<wbr>" not in whole
    assert "ecr:<wbr>" not in whole
    assert "arn:aws:iam::aws:<wbr>policy/<wbr>AmazonEC2ContainerRegistryPullOnly</span>" in whole


def test_the_fix_is_a_command_with_a_button_and_its_place() -> None:
    found = Parsed(page(denied()))
    (command, _) = found.all("div", "command")
    assert "aws iam attach-role-policy --role-name prod-node" in command.text
    assert "In account 111111111111, region eu-west-1:" in found.texts("p")
    (button, _) = (each for each in found.all("button") if "hidden" in each.attributes)
    assert button.attributes["data-copies"] in {each.attributes.get("id") for each in found.all("code")}


def test_the_statement_that_decides_is_marked_in_its_policy() -> None:
    found = Parsed(page(denied()))
    (marked,) = found.texts("mark")
    assert json.loads(marked) == {"Sid": "NoPulls", "Effect": "Deny", "Action": "ecr:*", "Resource": "*"}
    (policy,) = found.texts("pre", "policy")
    assert [each.get("Sid") for each in json.loads(policy)["Statement"]] == ["Logs", "NoPulls"]
    assert 'Inline policy pull: statement "NoPulls" denies the pull' in found.texts("p")


def test_an_allow_only_comes_near_and_a_policy_about_something_else_is_folded() -> None:
    statement = {"Effect": "Allow", "Action": "ecr:BatchGetImage", "Resource": "arn:aws:ecr:::repository/x"}
    near = DecidingPolicy("inline policy near", {"Statement": statement}, (0,))
    found = Parsed(page(denied(policy=near)))
    assert "Inline policy near: statement 0, counted from 0, comes nearest to allowing it" in found.texts("p")
    found = Parsed(page(denied(policy=replace(near, statements=()))))
    assert "Inline policy near: no statement is about it" in found.texts("summary")
    assert found.texts("mark") == []


def test_all_checks_are_told_each_once_by_what_came_out() -> None:
    found = Parsed(page(denied()))
    groups = dict(each.rsplit(": ", 1) for each in found.texts("summary") if ": " in each)
    assert {key: groups[key] for key in ("Failed", "Passed", "Does not apply")} == {
        "Failed": "1",
        "Passed": "1",
        "Does not apply": "1",
    }
    assert groups["Not decided, but not needed to explain it"] == "1"
    listed = [each.split("</code>")[0] for each in found.texts("ul", "checks")]
    assert all(sum(each.id in text for text in listed) == 1 for each in CHECKS if not each.of_responder)
    items = found.texts("li")
    assert any("The repository payments/api is there." in each for each in items)
    assert any("there is no registry policy" in each for each in items)
    assert any("organizations:ListPolicies was denied" in each and "Next: Grant it." in each for each in items)


def test_the_way_shows_each_stop_and_the_proof_of_the_broken_one() -> None:
    found = Parsed(page(unreachable()))
    across, down = found.all("svg", "across")[0], found.all("svg", "down")[0]
    assert across.attributes["role"] == "img"
    words = (
        "pod payments/api-7d4b9c5f6-x2x7q: asks; DNS api.ecr.eu-west-1.amazonaws.com: works; node i-1: works; "
        "subnet subnet-node: works; route rtb-node: broken; host api.ecr.eu-west-1.amazonaws.com: not reached."
    )
    assert found.texts("desc")[:2] == [words, words]
    assert "rtb-node" in down.text
    (proof, *_) = found.texts("div", "of-failed")
    assert proof.startswith("route rtb-node: broken")
    assert "no route of rtb-node leads to the public internet" in proof
    assert ["subnet-other: works" in each for each in found.texts("li") if each.startswith("subnet-other")] == [True]


def test_a_refused_pull_shows_who_asks_for_what_with_the_blamed_marked() -> None:
    words = Parsed(page(denied())).texts("desc")[0]
    assert words == (
        "pod payments/api-7d4b9c5f6-x2x7q: asks; node ip-10-0-3-17.eu-west-1.compute.internal: not needed here; "
        "role eks/prod-node: broken; registry 222222222222: not needed here; repository payments/api: works; "
        "image :1.4.2: not needed here."
    )
    policy = "arn:aws:organizations::111111111111:policy/o-1/service_control_policy/p-1"
    finding = replace(FINDING, resource=Resource("Other", policy, "111111111111"))
    words = Parsed(page(denied(finding))).texts("desc")[0]
    assert "organization policy/p-1: broken" in words
    assert "role eks/prod-node: not needed here" in words


def test_several_pulls_have_contents_with_the_worst_first() -> None:
    found = Parsed(SEVERAL)
    assert found.texts("h1") == ["2 of 4 pulls are broken, 1 not decided"]
    lines = [each.text for each in found.all("a") if (each.attributes.get("href") or "").startswith("#pull-")]
    assert [each.partition(":")[0].partition(" (")[0] for each in lines] == [
        "No route leads from the node to the registry",
        "The role lacks permissions to pull",
        "Not decided",
        "No fault was found",
    ]
    ids = {each.attributes["id"] for each in found.parts if each.attributes.get("id")}
    assert {f"pull-{number}" for number in range(1, 5)} <= ids
    assert "none of ECR" in found.texts("li")


def test_raw_facts_are_the_object_of_json() -> None:
    raw = Parsed(page(denied())).texts("pre")[-1]
    assert json.loads(raw)["findings"][0]["cause"] == "role_lacks_pull_permissions"


@pytest.mark.parametrize("text", [page(denied()), SEVERAL, page(hostile(HOSTILE[0]), hostile(HOSTILE[3]))])
def test_ids_are_unique_and_headings_skip_no_level(text: str) -> None:
    found = Parsed(text)
    ids = [each.attributes["id"] for each in found.parts if "id" in each.attributes]
    assert len(ids) == len(set(ids))
    levels = [int(each.tag[1]) for each in found.parts if each.tag in ("h1", "h2", "h3", "h4", "h5", "h6")]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_the_policy_of_the_page_allows_its_own_style_and_script_and_nothing_else() -> None:
    found = Parsed(page(denied()))
    (content,) = (each.attributes["content"] for each in found.all("meta") if "http-equiv" in each.attributes)

    def digest(tag: str) -> str:
        (text,) = found.texts(tag)
        return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

    assert content == (
        f"default-src 'none'; style-src 'sha256-{digest('style')}'; script-src 'sha256-{digest('script')}'; "
        "base-uri 'none'; form-action 'none'"
    )
    names = [each.tag for each in found.parts]
    assert found.parts[names.index("meta") + 1].attributes.get("http-equiv") == "Content-Security-Policy"


def _shape(text: str) -> list[tuple[str, tuple[str, ...]]]:
    found = Parsed(page(hostile(text)))
    # Where a name may break follows from its signs.
    return [(each.tag, tuple(sorted(each.attributes))) for each in found.parts if each.tag != "wbr"]


@settings(deadline=None)
@given(HOSTILE_TEXTS)
def test_the_page_has_the_same_elements_whatever_others_wrote(text: str) -> None:
    # A command is whole or left out, so what is compared has one that is left out.
    assert _shape(f"x\n{text}") == _shape("x\n")


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_invisible_or_active_is_in_the_page(text: str) -> None:
    whole = page(hostile(text), hostile(text), not_asked=(text,))
    assert all(each.isprintable() for each in whole.split("\n"))
    found = Parsed(whole)
    assert {each.tag for each in found.parts}.isdisjoint({"img", "iframe", "object", "embed", "form", "base", "link"})
    assert not any(name.startswith("on") or name == "style" for each in found.parts for name in each.attributes)
    links = [each.attributes["href"] or "" for each in found.all("a")]
    assert all(each.startswith(("#", "https://console.aws.amazon.com/", "https://us-east-1.console")) for each in links)


def test_a_page_about_nothing_says_so() -> None:
    found = Parsed(page(not_asked=("example.com/app is not in Amazon ECR",)))
    assert found.texts("h1") == ["No pull from Amazon ECR was asked about"]
    assert found.texts("li") == ["example.com/app is not in Amazon ECR"]
