"""`pip install` and `pipx install` of the wheel give a command that works, with few requirements."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from email import message_from_bytes
from typing import TYPE_CHECKING, Final
from zipfile import ZipFile

import pytest
import yaml
from packaging.requirements import Requirement

from tests.integration.cli.test_cluster_input import Estate
from tests.packaging.conftest import ROOT, Installed, build_wheel, install
from tests.unit.cli.kubectl import printed

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pull_responder.emulator.emulated_aws import EmulatedAws

MEGABYTES: Final = 100
# An account of its own.
ACCOUNT: Final = "323232323232"
EVENT: Final = (
    (ROOT / "tests/events/ecr_denials/node_role_every_field.json")
    .read_text(encoding="utf-8")
    .replace("111111111111", ACCOUNT)
)
ROLE: Final = f"arn:aws:iam::{ACCOUNT}:role/nodes/eks-node"
TRUST: Final = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}],
    }
)


def _requirements() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"].values()
    return [Requirement(each) for each in (*project["dependencies"], *(each for extra in extras for each in extra))]


def _pins() -> dict[str, str]:
    """What is installed here and tested, by the name of the package."""
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    found = (re.match(r"([\w.-]+)==([^ ;]+)", line) for line in lines)
    return {each[1].lower(): each[2] for each in found if each}


@pytest.fixture
def broken(aws: EmulatedAws) -> EmulatedAws:
    """The cluster of the event, whose node role may do nothing."""
    ours = aws.at(account=ACCOUNT)
    ours.client("ecr").create_repository(repositoryName="team/payments")
    ours.client("iam").create_role(Path="/nodes/", RoleName="eks-node", AssumeRolePolicyDocument=TRUST)
    eks = ours.client("eks")
    eks.create_cluster(name="packaged", roleArn=ROLE, resourcesVpcConfig={"subnetIds": ["subnet-1"]})
    eks.create_nodegroup(clusterName="packaged", nodegroupName="workers", subnets=["subnet-1"], nodeRole=ROLE)
    return ours


def _finds_the_cause(installed: Installed, aws: EmulatedAws, folder: Path) -> None:
    environment = {**aws.environment, "AWS_ACCESS_KEY_ID": ACCOUNT}
    asked = ("pull-responder", "diagnose", "--event", "-", "--format", "json")
    done = installed.run(*asked, folder=folder, given=EVENT, environment=environment)
    assert (done.returncode, done.stderr) == (1, "")
    answer = json.loads(done.stdout)
    assert answer["pull"]["image"] == f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com/team/payments:v1.4.2"
    assert [(each["cause"], each["resource"]["id"]) for each in answer["findings"]] == [
        ("role_lacks_pull_permissions", ROLE)
    ]


def test_pip_and_pipx_install_a_command_that_finds_the_cause(
    installed: Installed, wheel: Path, broken: EmulatedAws, tmp_path: Path
) -> None:
    _finds_the_cause(installed, broken, tmp_path)
    places = {"PIPX_HOME": str(tmp_path / "pipx"), "PIPX_BIN_DIR": str(tmp_path / "bin")}
    install(sys.executable, "-m", "pipx", "install", "--python", sys.executable, str(wheel), environment=places)
    _finds_the_cause(Installed(tmp_path / "bin"), broken, tmp_path)


@pytest.mark.parametrize("form", [json.dumps, yaml.safe_dump], ids=["json", "yaml"])
def test_what_kubectl_prints_of_a_pod_finds_the_cause(
    installed: Installed, aws: EmulatedAws, tmp_path: Path, form: Callable[[object], str]
) -> None:
    estate = Estate(aws)
    given = form(estate.of(printed.pod()))
    done = installed.run("pull-responder", "diagnose", "-", folder=tmp_path, given=given, environment=aws.environment)
    assert (done.returncode, done.stderr) == (1, "")
    broken, run, pull = done.stdout.splitlines()[:3]
    assert broken == f"HIGH: The role does not allow the pull (role {estate.role})"
    assert f": aws iam attach-role-policy --role-name {estate.role} --policy-arn " in run
    assert pull.startswith("Pod ")
    assert f"image {estate.repository}:v1.4.2, node ip-" in pull


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (("pull-responder", "--version"), "pull-responder, version "),
        (("pull-responder", "--help"), "Find out why a pod on Amazon EKS cannot pull its image from Amazon ECR."),
        (("pull-responder", "causes", "scp_blocks_pull"), "What it cannot see: "),
        (("pull-responder", "explain", "Failed to pull image: 403 Forbidden"), "Can mean"),
        (("pull-responder", "evaluate", "--help"), "pull-responder evaluate < cases.jsonl"),
        (("pull-responder", "diagnose", "--help"), "--image"),
        (("pull-responder", "doctor", "--help"), "--stack"),
        (("pull-responder", "test-event", "--help"), "--timeout"),
        (("python", "-m", "pip", "check"), "No broken requirements found."),
    ],
)
def test_commands_work_in_an_empty_folder(
    installed: Installed, tmp_path: Path, command: tuple[str, ...], says: str
) -> None:
    done = installed.run(*command, folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert says in done.stdout


def test_the_demo_says_what_it_needs(installed: Installed, tmp_path: Path) -> None:
    done = installed.run("pull-responder", "demo", folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "pull-responder: demo needs the extra demo: pip install 'pull-responder[demo]'\n"


def test_no_more_is_installed_than_the_sdk_and_the_terminal_need(installed: Installed) -> None:
    (folder,) = (installed.scripts.parent / "lib").glob("python*/site-packages")
    names = {each.name.partition("-")[0].lower() for each in folder.glob("*.dist-info")}
    assert names - {"pip", "setuptools"} == {
        *("aws_lambda_powertools", "typing_extensions", "jmespath", "dacite"),
        *("boto3", "botocore", "s3transfer", "python_dateutil", "six", "urllib3"),
        *("click", "pull_responder", "pyyaml"),
        *("rich", "markdown_it_py", "mdurl", "pygments"),
    }
    size = sum(each.stat().st_size for each in folder.rglob("*") if each.is_file())
    assert size < MEGABYTES * 1_000_000


def test_what_the_wheel_asks_for_is_what_the_terminal_imports(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        asked = [Requirement(each) for each in message_from_bytes(archive.read(metadata)).get_all("Requires-Dist", [])]
        names = archive.namelist()
    always = {each.name for each in asked if each.marker is None}
    assert always == {"aws-lambda-powertools", "boto3", "click", "dacite", "PyYAML", "rich"}
    assert "pull_responder/known_causes.json" in names
    assert not [name for name in names if name.startswith(("pull_responder/generate/", "tests/", "infra/", "bench/"))]


def test_the_source_archive_builds_the_same_wheel(source: Path, wheel: Path, tmp_path: Path) -> None:
    """A release builds its wheel from the source archive."""
    build = "from setuptools.build_meta import build_sdist; import sys; build_sdist(sys.argv[1])"
    subprocess.run(  # noqa: S603 -- the build backend, in a copy
        [sys.executable, "-c", build, tmp_path], cwd=source, check=True, capture_output=True
    )
    (archive,) = tmp_path.glob("*.tar.gz")
    with ZipFile(wheel) as one, ZipFile(build_wheel(archive, tmp_path)) as other:
        assert {name for name in one.namelist() if "dist-info" not in name} == {
            name for name in other.namelist() if "dist-info" not in name
        }


def test_the_page_on_pypi_links_nothing_that_is_not_there(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        page = str(message_from_bytes(archive.read(metadata)).get_payload())
    assert page.startswith("# pull-responder")
    assert re.findall(r"\]\((?!https://)", page) == []


@pytest.mark.parametrize("requirement", _requirements(), ids=lambda each: each.name)
def test_the_ranges_begin_with_what_is_tested(requirement: Requirement) -> None:
    tested = _pins()[requirement.name.lower()]
    (lowest,) = (each.version for each in requirement.specifier if each.operator in (">=", "=="))
    assert requirement.specifier.contains(tested)
    assert lowest == tested, f"pyproject.toml: {requirement.name} begins with {lowest}, and {tested} is tested"


def test_the_layer_of_the_functions_has_nothing_of_the_terminal() -> None:
    deployed = (ROOT / "lambdas" / "requirements.txt").read_text(encoding="utf-8").lower()
    assert not [name for name in ("click", "rich", "pyyaml", "mcp") if re.search(rf"^{name}\b", deployed, re.MULTILINE)]
