"""docs/adding-a-cause.md, followed by its letter in a copy of the project: it works, and each step that is left out is
named by what fails.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pull_responder.emulator.emulated_aws import ACCOUNT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pull_responder.emulator.emulated_aws import EmulatedAws

ROOT = Path(__file__).parents[2]
CAUSE, SYMPTOM = "registry_mirror_failing", "mirror_failed"
CHECK = f"lambdas/pull_responder/checks/{CAUSE}.py"
TUPLE = "lambdas/pull_responder/checks/__init__.py"
PULL = "lambdas/pull_responder/model/pull.py"
PHRASES = "lambdas/pull_responder/events/kubelet_phrases.py"
MESSAGES = "tests/unit/events/messages.py"
TESTS = f"tests/integration/checks/test_{CAUSE}.py"
FIX = f"docs/causes/fixes/{CAUSE}.md"
MESSAGE = 'Failed to pull image "public.ecr.aws/a/b:v1": failed to pull and unpack image: mirror did not answer'
EVENT = "tests/events/kubernetes_events/failed.json"
COMMAND = "from pull_responder.cli.main import main; main()"


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of the project that a newcomer works in."""

    folder: Path

    def __getitem__(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, encoding="utf-8")

    def put(self, text: str, name: str, *, before: str = "", after: str = "") -> None:
        """Put `text` into a file, before or after a place that it has once."""
        place = before or after
        whole = self[name]
        assert whole.count(place) == 1, f"{name}: {place!r}"
        self.write(name, whole.replace(place, f"{text}{place}" if before else f"{place}{text}"))

    def run(self, *command: str, environment: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        # Whoever follows the page is no part of a make that runs these tests.
        outer_make = ("MAKELEVEL", "MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES")
        variables = {
            **{name: value for name, value in os.environ.items() if name not in outer_make},
            **(environment or {}),
            "PYTHONPATH": str(self.folder / "lambdas"),
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        }
        return subprocess.run(  # noqa: S603 -- what is tested
            command, cwd=self.folder, env=variables, capture_output=True, text=True, check=False
        )

    def python(self, *arguments: str) -> str:
        done = self.run(sys.executable, *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def failures(self, *tests: str) -> str:
        """What tests that fail say, in one line."""
        done = self.run(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *tests)
        assert done.returncode == 1, done.stdout + done.stderr
        return " ".join(done.stdout.split())

    def make(self, *targets: str) -> subprocess.CompletedProcess[str]:
        # What is installed is installed already, and is nobody's to install anew.
        return self.run("make", "--assume-old=build/python.stamp", f"PYTHON={sys.executable}", *targets)

    def generate(self) -> subprocess.CompletedProcess[str]:
        return self.make("generate")

    def examples(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in (self.folder / "docs/causes/examples").iterdir()}

    def written(self) -> dict[str, bytes]:
        places = [self.folder / "README.md", *(self.folder / "docs").rglob("*"), *(self.folder / "infra").rglob("*")]
        return {str(path): path.read_bytes() for path in places if path.is_file() and path.suffix != ".pyc"}

    def lacks(self, line: str) -> None:
        """Hold that `make generate` says this and writes nothing."""
        before = self.written()
        failed = self.generate()
        assert failed.returncode != 0
        said = [each for each in failed.stderr.splitlines() if not each.startswith("make: ")]
        assert len(said) == 1, failed.stderr
        assert line in said[0]
        assert self.written() == before


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    listed = subprocess.run(  # the files that are committed, or are about to be
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / "build").mkdir(exist_ok=True)
    return Copy(tmp_path)


def blocks() -> list[str]:
    """The lines and files on the page, in its order."""
    page = (ROOT / "docs" / "adding-a-cause.md").read_text(encoding="utf-8")
    found = re.findall(r"^( *)(`{3,})(?:text|python|markdown)\n(.*?)^ *\2$", page, re.DOTALL | re.MULTILINE)
    return ["".join(line.removeprefix(indent) for line in code.splitlines(keepends=True)) for indent, _, code in found]


def diagnose_finds_the_cause(copy: Copy, aws: EmulatedAws) -> None:
    """Hold that `diagnose` finds the cause in the event of a pull from ECR Public."""
    tags = [{"Key": "kubernetes.io/cluster/prod", "Value": "owned"}]
    started = aws.client("ec2").run_instances(
        ImageId="ami-12345678",
        MinCount=1,
        MaxCount=1,
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
    )
    event = json.loads(copy[EVENT].replace("ip-10-0-1-23.ec2.internal", started["Instances"][0]["InstanceId"]))
    event["account"] = ACCOUNT
    event["detail"]["message"] = MESSAGE
    copy.write("build/event.json", json.dumps(event))
    # Exit status 1 says that a cause was found.
    arguments = ["diagnose", "--event", "build/event.json", "--format", "json"]
    diagnosed = copy.run(sys.executable, "-c", COMMAND, *arguments, environment=aws.environment)
    assert diagnosed.returncode == 1, diagnosed.stdout + diagnosed.stderr
    answer = json.loads(diagnosed.stdout)
    assert (answer["pull"]["image"], answer["pull"]["symptom"]) == ("public.ecr.aws/a/b:v1", SYMPTOM)
    assert [finding["cause"] for finding in answer["findings"]] == [CAUSE]


def the_words_are_asked_for(copy: Copy, fix: str) -> None:
    """Hold that the page asks for what people write: what the check cannot see, and the fix."""
    whole = copy[CHECK]
    copy.write(CHECK, whole.replace("What it cannot see: ", "Unseen: "))
    copy.lacks(f'checks/{CAUSE}.py: its docstring lacks a paragraph "What it cannot see: …"')
    copy.write(CHECK, whole)
    copy.lacks(f"{FIX}: is missing: write how {CAUSE} is fixed and prevented; docs/adding-a-cause.md shows")
    copy.write(FIX, fix.replace("### CDK\n", ""))
    copy.lacks(f'{FIX}: lacks the section "### CDK": it has to have')
    copy.write(FIX, fix)


def the_gates_hold(copy: Copy) -> None:
    """The gates that concern the new cause."""
    copy.python("-m", "pytest", "tests/unit/generate", TESTS, *(f"tests/unit/{each}" for each in UNIT))
    copy.python("-m", "pytest", "tests/integration/remediation/test_commands_of_pages.py", "-k", f"{CAUSE} or refused")
    copy.python("-m", "pytest", "tests/infrastructure/test_permissions.py", "-k", "narrow or member_role or only_read")
    for gate in (["ruff", "check"], ["ruff", "format", "--check"], ["lint-imports"]):
        done = copy.run(*gate)
        assert done.returncode == 0, done.stdout + done.stderr
    typed = [CHECK, TUPLE, TESTS, PHRASES, MESSAGES, PULL]
    copy.python("-m", "mypy", "--follow-imports=silent", f"--cache-dir={copy.folder}/.mypy", *typed)


def test_the_page_gives_the_command_of_one_cause() -> None:
    page = (ROOT / "docs" / "adding-a-cause.md").read_text(encoding="utf-8")
    assert f"`make examples CAUSE={CAUSE}`" in page


def test_the_page_is_followed_and_what_is_left_out_is_named(copy: Copy, aws: EmulatedAws) -> None:
    member, row, phrase, message, check, tests, fix = blocks()

    # The symptom alone: mypy asks for its row, the tests for its other places.
    copy.put(member, PULL, after='    CANCELED = "canceled"\n')
    mypy = copy.run(sys.executable, "-m", "mypy", "--follow-imports=silent", f"--cache-dir={copy.folder}/.mypy", PULL)
    assert re.search(
        rf'{PULL}:\d+: error: Argument 1 to "assert_never" has incompatible type "Literal\[Symptom\.MIRROR_FAILED\]"',
        mypy.stdout,
    )
    said = copy.failures("tests/unit/events/test_symptoms.py")
    assert "events/kubelet_phrases.py: no phrase says Symptom.MIRROR_FAILED" in said
    assert "tests/unit/events/messages.py: no message there is of mirror_failed" in said
    assert "model/pull.py: registry_answered has no row for Symptom.MIRROR_FAILED" in said
    assert "no check explains mirror_failed: add Explains(Symptom.MIRROR_FAILED, rank)" in said
    copy.put(row, PULL, before="        case _:\n            assert_never(symptom)\n")
    copy.put(phrase, PHRASES, after="_CONTAINERD: Final = {\n")
    copy.put(message, MESSAGES, after="CONTAINERD = [\n")

    # The check alone is no cause yet; in the tuple, it lacks its tests and its example.
    copy.write(CHECK, check)
    said = copy.failures(
        "tests/unit/generate/test_generated.py::test_each_file_beside_check_py_is_a_cause_that_the_tuple_names"
    )
    assert f"checks/{CAUSE}.py is no cause yet: import it in {TUPLE}" in said
    copy.put(f"        {CAUSE},\n", TUPLE, before="        registry_policy_denies_pull,\n")
    copy.put(f"        {CAUSE}.CHECK,\n", TUPLE, before="        unexpected_principal_denied.CHECK,\n")
    said = copy.failures("tests/unit/generate/test_tests_of_causes.py", "tests/unit/generate/test_generated.py")
    assert f'checks/{CAUSE}.py has no test marked cause("{CAUSE}", "near_miss"): mark the one in which' in said
    assert f"docs/causes/examples/{CAUSE}.md is missing: have one of the tests of {CAUSE} call" in said
    assert "README.md: its table of causes is stale: run `make generate`" in said
    copy.lacks(f"docs/causes/examples/{CAUSE}.md: is missing: have one of the tests of {CAUSE} call the fixture")

    # With its tests, which hold, it has an example. An action that nothing can grant stops it yet.
    copy.write(TESTS, tests)
    before = copy.examples()
    made = copy.make("examples", f"CAUSE={CAUSE}")
    assert made.returncode == 0, made.stdout + made.stderr
    assert copy.examples() == {**before, f"{CAUSE}.md": copy[f"docs/causes/examples/{CAUSE}.md"].encode()}
    copy.write(
        CHECK, check.replace("permissions=ec2.PERMISSIONS", 'permissions=(*ec2.PERMISSIONS, "ecr:DescribeRegistry")')
    )
    copy.lacks(
        f"infra/permissions.py: SCOPES lacks ecr:DescribeRegistry, which checks/{CAUSE}.py declares: add "
        '"ecr:DescribeRegistry": Scope(...) with the narrowest resource that AWS defines'
    )
    copy.put('    "ecr:DescribeRegistry": _ANY,\n', "infra/permissions.py", before='    "ecr:DescribeRepositories": ')
    the_words_are_asked_for(copy, fix)
    generated = copy.generate()
    assert (generated.returncode, generated.stdout, generated.stderr) == (0, "", "")

    # It is known everywhere, for images of ECR Public too.
    page = copy[f"docs/causes/{CAUSE}.md"]
    assert "mirror did not answer" in page
    assert fix.strip() in page
    # A single node is a step less severe.
    assert "\nMEDIUM: The nodes' registry mirror does not answer (" in page
    assert f"- Pulls from Amazon ECR Public, at `{SYMPTOM}`." in page
    assert "| The mirror and the configuration of the nodes. AWS shows neither. |" in copy["docs/causes/README.md"]
    assert f"| [{CAUSE}](docs/causes/{CAUSE}.md) | The nodes' registry mirror does not answer |" in copy["README.md"]
    assert "ecr:DescribeRegistry" in json.loads(copy["infra/permissions.json"])["diagnose"]["read"]
    assert "- ecr:DescribeRegistry" in copy["infra/member-role.yaml"]
    explained = json.loads(copy.python("-c", COMMAND, "explain", MESSAGE, "--format", "json"))
    assert (explained["symptom"], explained["can_mean"]) == (SYMPTOM, [CAUSE])
    assert f"{CAUSE}: The nodes' registry mirror does not answer" in copy.python("-c", COMMAND, "causes", CAUSE)
    diagnose_finds_the_cause(copy, aws)

    the_gates_hold(copy)


UNIT = (
    "events/test_symptoms.py",
    "events/test_meanings.py",
    "diagnosis/test_ecr_public.py",
    "diagnosis/test_sorting.py",
)
