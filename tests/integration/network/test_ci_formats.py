"""JUnit and SARIF of `diagnose`, and the pipelines of docs/before-a-rollout.md."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree as ET

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml

from tests.integration.network.estate import ACCOUNT, REGION, NetworkEstate
from tests.integration.network.test_manifests import GRAVITON, HOST, INTEL, TOLERANT, deployment, run, shop, write
from tests.unit.page.parsed import Parsed

if TYPE_CHECKING:
    from tests.integration.network.test_manifests import Run

__all__ = ["run", "shop"]  # fixtures

PAGE: Final = Path(__file__).parents[3] / "docs" / "before-a-rollout.md"

# The attributes and children that junit-10.xsd of jenkinsci/xunit-plugin lets each element have; required ones first.
JUNIT: Final[dict[str, tuple[set[str], set[str], set[str]]]] = {
    "testsuites": (set(), {"name", "time", "tests", "failures", "errors"}, {"testsuite"}),
    "testsuite": ({"name", "tests", "failures", "errors"}, {"skipped", "time", "timestamp"}, {"testcase"}),
    "testcase": ({"name"}, {"classname", "time"}, {"failure", "error", "skipped", "system-out"}),
    "failure": (set(), {"type", "message"}, set()),
    "error": (set(), {"type", "message"}, set()),
    "skipped": (set(), {"type", "message"}, set()),
    "system-out": (set(), set(), set()),
}


def closed(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    """An object with these properties and no others."""
    properties = required | (optional or {})
    return {"type": "object", "properties": properties, "required": list(required), "additionalProperties": False}


def listed(item: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": item}


# What SARIF 2.1.0 has of what is used here (OASIS, sections 3.13 to 3.58).
TEXT: Final[dict[str, Any]] = {"type": "string", "minLength": 1}
MESSAGE: Final = closed({"text": TEXT})
LEVEL: Final = {"enum": ["none", "note", "warning", "error"]}
BAG: Final = {"type": "object"}
LOCATION: Final = closed(
    {
        "physicalLocation": closed(
            {
                "artifactLocation": closed({"uri": {"type": "string", "pattern": r"^[\w/.:%~-]+$"}}),
                "region": closed({"startLine": {"type": "integer", "minimum": 1}}),
            }
        )
    },
    {"logicalLocations": listed(closed({"fullyQualifiedName": TEXT, "kind": TEXT}))},
)
RULE: Final = closed(
    {
        "id": TEXT,
        "shortDescription": MESSAGE,
        "fullDescription": MESSAGE,
        "help": MESSAGE,
        "helpUri": {"type": "string", "pattern": "^https://"},
        "defaultConfiguration": closed({"level": LEVEL}),
        "properties": BAG,
    }
)
RESULT: Final = closed(
    {
        "ruleId": TEXT,
        "ruleIndex": {"type": "integer", "minimum": 0},
        "level": LEVEL,
        "message": MESSAGE,
        "locations": {**listed(LOCATION), "minItems": 1},
        "partialFingerprints": {"type": "object", "additionalProperties": TEXT},
        "properties": BAG,
    }
)
NOTIFICATION: Final = closed({"level": LEVEL, "message": MESSAGE}, {"locations": listed(LOCATION)})
INVOCATION: Final = closed(
    {
        "executionSuccessful": {"type": "boolean"},
        "exitCode": {"type": "integer"},
        "toolExecutionNotifications": listed(NOTIFICATION),
    }
)
RUN: Final = closed(
    {
        "tool": closed({"driver": closed({"name": TEXT, "version": TEXT, "rules": listed(RULE)})}),
        "invocations": listed(INVOCATION),
        "columnKind": {"const": "unicodeCodePoints"},
        "results": listed(RESULT),
    }
)
SARIF: Final = closed({"$schema": TEXT, "version": {"const": "2.1.0"}, "runs": {**listed(RUN), "maxItems": 1}})


def junit(text: str) -> ET.Element:
    """The document, held against the schema."""
    root = ET.fromstring(text)  # noqa: S314 -- our own
    assert root.tag == "testsuites"
    for element in root.iter():
        required, optional, children = JUNIT[element.tag]
        assert required <= set(element.keys()) <= required | optional
        assert {child.tag for child in element} <= children
    (suite,) = root
    for key, tag in {"tests": "testcase", "failures": "failure", "errors": "error", "skipped": "skipped"}.items():
        assert suite.get(key) == str(len(list(root.iter(tag))))
    return root


def sarif(text: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(text)
    jsonschema.validate(document, SARIF)
    (one,) = document["runs"]
    for result in one["results"]:
        assert one["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    assert isinstance(one, dict)
    return one


def test_junit_has_a_case_for_each_image_and_kind_of_node(shop: NetworkEstate, run: Run, tmp_path: Path) -> None:
    write(
        tmp_path,
        deployment(f"{HOST}/{shop.name}/app:gone", name="gone", **TOLERANT),
        deployment(shop.image, nodeSelector={"eks.amazonaws.com/nodegroup": "none"}),
        deployment("nginx:1"),
        deployment("${IMAGE}"),
    )
    ended = run(tmp_path, form="junit")
    assert ended.status == 1
    cases = {each.get("name"): each for each in junit(ended.out).iter("testcase")}
    gone = cases[f"{HOST}/{shop.name}/app:gone by {INTEL} of cluster {shop.name}"].find("failure")
    assert f"{HOST}/{shop.name}/app:gone by {GRAVITON} of cluster {shop.name}" in cases
    assert gone is not None
    assert gone.get("type") == "image_not_found"
    assert (gone.get("message") or "").startswith("LOW image_not_found: ")
    assert f"Used by Deployment shop/gone, app ({tmp_path / 'app.yaml'}:19)" in (gone.text or "")
    assert "\nFix: " in (gone.text or "")
    left = cases[f"{shop.image} by nodes with eks.amazonaws.com/nodegroup=none of cluster {shop.name}"].find("error")
    assert left is not None
    assert left.get("type") == "inconclusive"
    assert "no node of cluster" in (left.text or "")
    skipped = [each.get("message") for each in junit(ended.out).iter("skipped")]
    assert skipped == ["nginx:1 is not in Amazon ECR but in docker.io (1 workload)"]
    errors = [each.get("message") or "" for each in junit(ended.out).iter("error")]
    assert any(each.endswith("the image '${IMAGE}' has a placeholder that is not filled in") for each in errors)


def test_sarif_has_a_result_for_each_cause_and_place(
    shop: NetworkEstate, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    iam = shop.client("iam")
    iam.delete_role_policy(RoleName=f"{shop.name}-node", PolicyName="pull")
    write(
        tmp_path,
        deployment(shop.image, name="a"),
        deployment(shop.image, name="b"),
        deployment(f"{HOST}/{shop.name}/app:gone", namespace="default"),
        name="deploy/a b.yaml",
    )
    monkeypatch.chdir(tmp_path)
    found = sarif(run("deploy", form="sarif").out)
    assert [(each["ruleId"], each["level"]) for each in found["results"]] == [
        ("role_lacks_pull_permissions", "error"),
        ("role_lacks_pull_permissions", "error"),
        ("image_not_found", "warning"),
    ]
    places = [each["locations"][0] for each in found["results"]]
    assert [each["physicalLocation"]["artifactLocation"]["uri"] for each in places] == ["deploy/a%20b.yaml"] * 3
    assert [each["physicalLocation"]["region"]["startLine"] for each in places] == [19, 45, 71]
    assert [each["logicalLocations"][0]["fullyQualifiedName"] for each in places] == [
        "Deployment shop/a/app",
        "Deployment shop/b/app",
        "Deployment default/web/app",
    ]
    first, second, _ = found["results"]
    command = f"aws iam attach-role-policy --role-name {shop.name}-node"
    assert command in first["message"]["text"]
    assert first["properties"]["commands"][0].startswith(command)
    assert first["properties"]["severity"] == "HIGH"
    prints = [each["partialFingerprints"] for each in (first, second)]
    assert prints[0]["pullResponder/v1"] == prints[1]["pullResponder/v1"]
    assert prints[0]["primaryLocationLineHash"] != prints[1]["primaryLocationLineHash"]
    # A line more above changes no fingerprint.
    path = tmp_path / "deploy" / "a b.yaml"
    path.write_text(f"# a comment\n{path.read_text()}")
    moved = sarif(run("deploy", form="sarif").out)["results"]
    assert [each["partialFingerprints"] for each in moved[:2]] == prints
    assert moved[0]["locations"][0]["physicalLocation"]["region"]["startLine"] == 20


@pytest.mark.parametrize(
    ("options", "uri"), [((), "no-file"), (("--sarif-file", "charts/my shop.yaml"), "charts/my%20shop.yaml")]
)
def test_what_is_piped_in_stands_at_no_file_or_at_the_one_that_is_named(
    shop: NetworkEstate, tmp_path: Path, options: tuple[str, ...], uri: str
) -> None:
    write(tmp_path, deployment(f"{HOST}/{shop.name}/app:gone"), name="deploy/app.yaml")
    asks = shlex.join(["pull-responder", "diagnose", "--manifests", "-", "--cluster", "prod", "-o", "sarif", *options])
    done = shell(shop, tmp_path, f"helm template . | {asks}")
    assert (done.returncode, done.stderr) == (1, "")
    (result,) = sarif(done.stdout)["results"]
    (place,) = result["locations"]
    assert place["physicalLocation"] == {"artifactLocation": {"uri": uri}, "region": {"startLine": 1}}
    assert place["logicalLocations"][0]["fullyQualifiedName"] == "Deployment shop/web/app"
    assert "Used by Deployment shop/web/app (standard input, line 19)." in result["message"]["text"]


@pytest.mark.parametrize("options", ["--manifests -", "--manifests deploy -o sarif"])
def test_a_file_for_sarif_is_refused_where_it_would_say_nothing(
    shop: NetworkEstate, tmp_path: Path, options: str
) -> None:
    write(tmp_path, deployment(shop.image), name="deploy/app.yaml")
    done = shell(shop, tmp_path, f"echo x | pull-responder diagnose {options} --cluster prod --sarif-file x")
    words = "--sarif-file names a file for -o sarif, where what is asked about is in none"
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr


def test_the_page_says_who_uses_an_image(shop: NetworkEstate, tmp_path: Path) -> None:
    write(tmp_path, deployment(shop.image), name="deploy/app.yaml")
    done = shell(
        shop, tmp_path, "pull-responder diagnose --manifests deploy/ --cluster prod -o json --report page.html"
    )
    assert (done.returncode, done.stderr) == (0, "")
    found = Parsed((tmp_path / "page.html").read_text())
    told = [each for each in found.texts("bdi") if each.startswith("Deployment ")]
    assert set(told) == {"Deployment shop/web, container app (deploy/app.yaml:19)"}
    raw = [json.loads(each) for each in found.texts("pre") if each.startswith("{")]
    assert all(each["workloads"][0]["name"] == "web" for each in raw)
    assert len(told) == len(raw) == len(done.stdout.splitlines())


def test_what_sarif_cannot_decide_is_a_notification(shop: NetworkEstate, run: Run, tmp_path: Path) -> None:
    write(
        tmp_path,
        deployment(shop.image, nodeSelector={"kubernetes.io/os": "windows"}),
        deployment("nginx"),
        deployment("[${IMAGE}]"),
    )
    ended = run(tmp_path, form="sarif")
    found = sarif(ended.out)
    assert (ended.status, found["results"], found["invocations"][0]["exitCode"]) == (3, [], 3)
    notes = found["invocations"][0]["toolExecutionNotifications"]
    assert [each["level"] for each in notes] == ["error", "note", "warning"]
    assert "the image '\\[${{IMAGE}}\\]' has a placeholder" in notes[0]["message"]["text"]
    assert "is not decided: role_lacks_pull_permissions: " in notes[2]["message"]["text"]
    assert notes[2]["locations"][0]["physicalLocation"]["region"]["startLine"] == 19


def test_more_results_than_github_shows_are_cut_and_counted(
    shop: NetworkEstate, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pull_responder.cli.as_sarif.MOST_RESULTS", 2)
    gone = [deployment(f"{HOST}/{shop.name}/app:gone", name=f"web-{number}") for number in range(5)]
    write(tmp_path, *gone)
    found = sarif(run(tmp_path, form="sarif").out)
    assert len(found["results"]) == 2
    (note,) = found["invocations"][0]["toolExecutionNotifications"]
    assert note["message"]["text"] == "3 further results are left out: GitHub shows 2"


def test_an_event_and_an_image_can_be_had_in_both_formats(
    shop: NetworkEstate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], run: Run
) -> None:
    del run  # sets the environment
    from pull_responder.cli.main import main  # noqa: PLC0415 -- as the fixture

    shop.client("iam").delete_role_policy(RoleName=f"{shop.name}-node", PolicyName="pull")
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/{shop.name}-node/{shop.node(group='intel')}"
    denied = f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{shop.name}/app"
    record = {
        "eventSource": "ecr.amazonaws.com",
        "eventName": "BatchGetImage",
        "awsRegion": REGION,
        "eventTime": "2026-03-01T12:00:00Z",
        "errorCode": "AccessDenied",
        "errorMessage": f"User: {arn} is not authorized to perform: ecr:BatchGetImage on resource: {denied}",
        "userIdentity": {"type": "AssumedRole", "arn": arn, "accountId": ACCOUNT},
    }
    event = {"source": "aws.ecr", "detail-type": "AWS API Call via CloudTrail", "account": ACCOUNT, "detail": record}
    path = tmp_path / "event.json"
    path.write_text(json.dumps(event))
    asked = ["--image", shop.image, "--cluster", shop.name, "--nodegroup", "intel"]
    for arguments, place in ((["--event", str(path)], path.as_uri()), (asked, "no-file")):
        for form in ("junit", "sarif"):
            monkeypatch.setattr(sys, "argv", ["pull-responder", "diagnose", *arguments, "-o", form])
            with pytest.raises(SystemExit) as ended:
                main()
            out = capsys.readouterr().out
            assert ended.value.code == 1
            if form == "junit":
                (failure,) = junit(out).iter("failure")
                assert failure.get("type") == "role_lacks_pull_permissions"
            else:
                (result,) = sarif(out)["results"]
                assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == place


def snippets() -> list[Any]:
    found = [yaml.safe_load(each) for each in re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)]
    assert len(found) == 3
    return found


def shell(estate: NetworkEstate, folder: Path, script: str) -> subprocess.CompletedProcess[str]:
    """Run a script of a pipeline in a folder with manifests, with the command on its path."""
    tools = folder / "bin"
    tools.mkdir(exist_ok=True)
    command = tools / "pull-responder"
    start = "from pull_responder.cli.start import main; main()"
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -c "{start}" "$@"\n')
    helm = tools / "helm"
    helm.write_text("#!/bin/sh\ncat deploy/app.yaml\n")
    kubectl = tools / "kubectl"
    kubectl.write_text("#!/bin/sh\ncat deploy/app.yaml\n")
    for each in (command, helm, kubectl):
        each.chmod(0o755)
    environment = {
        "PATH": f"{tools}:{os.defpath}",
        "PYTHONPATH": os.pathsep.join(each for each in sys.path if each),
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL": estate.endpoint,
    }
    script = script.replace("--cluster prod", f"--cluster {estate.name}")
    return subprocess.run(  # noqa: S603 -- the page's own
        ["/bin/sh", "-e", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(("tag", "status"), [("v1", 0), ("gone", 1)])
def test_the_pipelines_of_the_page_run(shop: NetworkEstate, tmp_path: Path, tag: str, status: int) -> None:
    write(tmp_path, deployment(f"{HOST}/{shop.name}/app:{tag}"), name="deploy/app.yaml")
    _, steps, gitlab = snippets()
    (asks,) = [each["run"] for each in steps if "diagnose" in each.get("run", "")]
    (uploads,) = [each for each in steps if "upload-sarif" in each.get("uses", "")]
    done = shell(shop, tmp_path, asks)
    assert (done.returncode, done.stdout, done.stderr) == (status, "", "")
    assert len(sarif((tmp_path / uploads["with"]["sarif_file"]).read_text())["results"]) == status

    (asks,) = gitlab["images"]["script"]
    done = shell(shop, tmp_path, asks)
    assert (done.returncode, done.stdout, done.stderr) == (status, "", "")
    report = tmp_path / gitlab["images"]["artifacts"]["reports"]["junit"]
    assert len(list(junit(report.read_text()).iter("failure"))) == status
    assert gitlab["images"]["allow_failure"] == {"exit_codes": 3}


def test_the_steps_by_hand_pass_what_is_undecided_as_the_action_does(shop: NetworkEstate, tmp_path: Path) -> None:
    write(tmp_path, deployment(shop.image, nodeSelector={"kubernetes.io/os": "windows"}), name="deploy/app.yaml")
    action, steps, _ = snippets()
    (asks,) = [each["run"] for each in steps if "diagnose" in each.get("run", "")]
    assert shell(shop, tmp_path, asks).returncode == 0
    assert sarif((tmp_path / "images.sarif").read_text())["invocations"][0]["exitCode"] == 3
    declared = yaml.safe_load((PAGE.parents[1] / "action.yml").read_text())
    assert declared["inputs"]["undecided"]["default"] == "pass"
    (step,) = [each for each in action["jobs"]["images"]["steps"] if each.get("id") == "pulls"]
    given = set(step["with"])
    assert given <= set(declared["inputs"])
    assert {name for name, each in declared["inputs"].items() if each.get("required")} <= given
    assert step["uses"] == f"OWNER/pull-responder@v{declared['inputs']['version']['default']}"
    granted = {"actions": "read", "contents": "read", "id-token": "write", "security-events": "write"}
    assert action["permissions"] == granted


def test_the_commands_of_the_page_run(shop: NetworkEstate, tmp_path: Path) -> None:
    write(tmp_path, deployment(shop.image), name="deploy/app.yaml")
    write(tmp_path, deployment(shop.image), name="rollout.yaml")
    (block,) = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert len(block.splitlines()) == 4
    for line in block.splitlines():
        done = shell(shop, tmp_path, line)
        assert (done.returncode, done.stderr) == (0, ""), line
        assert "1 image in Amazon ECR: 0 cannot be pulled" in done.stdout
