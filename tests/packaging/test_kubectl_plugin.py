"""`kubectl pull-why`: kubectl finds the plugin, and it asks what `pull-responder diagnose` asks."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import click
import pytest
import yaml

from pull_responder.cli import plugin
from pull_responder.cli.main import cli
from pull_responder.cli.start import pull_why
from tests.packaging.conftest import ROOT, Installed

VERSION: Final = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
SCRIPT: Final = ROOT / "kubectl-plugin" / "kubectl-pull_why"
needs_kubectl = pytest.mark.skipif(shutil.which("kubectl") is None, reason="needs kubectl on the path")


def _kubectl(*arguments: str, path: Path) -> subprocess.CompletedProcess[str]:
    kubectl = shutil.which("kubectl")
    assert kubectl
    return subprocess.run(  # noqa: S603 -- the real kubectl, which asks no cluster for this
        [kubectl, *arguments],
        env={"PATH": f"{path}:{Path(kubectl).parent}:/usr/bin:/bin", "HOME": str(path)},
        capture_output=True,
        text=True,
        check=False,
    )


def _script(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        (["web-1"], ["--pod=web-1", "--format=text"]),
        (["web-1", "-n", "shop"], ["--pod=web-1", "--namespace=shop", "--format=text"]),
        (["-nshop", "web-1"], ["--pod=web-1", "--namespace=shop", "--format=text"]),
        (["pod/web-1", "--namespace=shop"], ["--pod=web-1", "--namespace=shop", "--format=text"]),
        (["po", "web-1", "-o", "json"], ["--pod=web-1", "--format=json"]),
        (["web-1", "--context", "prod"], ["--pod=web-1", "--context=prod", "--format=text"]),
        (["-n", "shop"], ["--namespace=shop", "--format=text"]),
        (["-A", "-ojson"], ["--all-namespaces", "--format=json"]),
        (
            ["web-1", "--profile", "on-call", "--region", "eu-west-1"],
            ["--pod=web-1", "--profile=on-call", "--region=eu-west-1", "--format=text"],
        ),
        # A value that looks like an option stays a value.
        (["web-1", "-n", "--event"], ["--pod=web-1", "--namespace=--event", "--format=text"]),
        (["--", "--event"], ["--pod=--event", "--format=text"]),
    ],
)
def test_what_kubectl_users_type_is_what_diagnose_is_asked(
    monkeypatch: pytest.MonkeyPatch, typed: list[str], asked: list[str]
) -> None:
    run: list[Any] = []

    def diagnose(arguments: list[str], **_: object) -> int:
        run.append(arguments)
        return 3

    monkeypatch.setattr(cli, "main", diagnose)
    monkeypatch.setattr(sys, "argv", ["kubectl-pull_why", *typed])
    with pytest.raises(SystemExit) as ended:
        pull_why()
    assert ended.value.code == 3
    assert run == [["diagnose", *asked]]


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ([], "name a pod, or give --namespace or --all-namespaces"),
        (["a", "b"], "one pod at a time, or --namespace for all that fail there: 'a b'"),
        (["deployment/web"], "'deployment/web' is no pod: give its name, or pod/NAME"),
        (["pod/"], "'pod/' is no pod: give its name, or pod/NAME"),
        (["web-1", "-A"], "--all-namespaces takes neither a pod nor --namespace"),
        (["web-1", "-o", "yaml"], "Invalid value for '-o' / '--output': 'yaml' is not one of 'text', 'json'."),
    ],
)
def test_what_cannot_be_asked_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], typed: list[str], says: str
) -> None:
    monkeypatch.setattr(sys, "argv", ["kubectl-pull_why", *typed])
    with pytest.raises(SystemExit) as ended:
        pull_why()
    assert ended.value.code == 2
    assert capsys.readouterr().err == f"pull-responder: {says}\n"


def test_the_kubeconfig_file_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", "/before")
    monkeypatch.setattr(cli, "main", lambda *_, **__: 0)
    with click.Context(plugin.pull_why):
        plugin.pull_why.main(["web-1", "--kubeconfig", "/given"], standalone_mode=False)
    assert os.environ["KUBECONFIG"] == "/given"


@needs_kubectl
def test_kubectl_finds_the_plugin_of_the_wheel(installed: Installed) -> None:
    listed = _kubectl("plugin", "list", path=installed.scripts)
    assert f"{installed.scripts}/kubectl-pull_why" in listed.stdout.splitlines()
    helped = _kubectl("pull-why", "--help", path=installed.scripts)
    assert helped.returncode == 0
    assert helped.stdout.startswith("Usage: kubectl pull-why [OPTIONS] [POD]...")
    refused = _kubectl("pull-why", "a", "b", path=installed.scripts)
    assert (refused.returncode, refused.stderr.splitlines()[0]) == (
        2,
        "pull-responder: one pod at a time, or --namespace for all that fail there: 'a b'",
    )


@pytest.mark.parametrize(
    ("runner", "asks"),
    [
        ("uvx", f"--quiet --from pull-responder=={VERSION} kubectl-pull_why web-1 -n a b"),
        ("pipx", f"run --quiet --spec pull-responder=={VERSION} kubectl-pull_why web-1 -n a b"),
    ],
)
def test_the_plugin_of_krew_runs_that_of_the_wheel(tmp_path: Path, runner: str, asks: str) -> None:
    _script(tmp_path, runner, 'echo "$@"; exit 3')
    done = subprocess.run(  # noqa: S603 -- our own script
        [SCRIPT, "web-1", "-n", "a b"], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (3, f"{asks}\n", "")


def test_the_plugin_of_krew_says_what_it_lacks(tmp_path: Path) -> None:
    done = subprocess.run([SCRIPT], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 2
    assert done.stderr == (f"kubectl pull-why: needs uv or pipx on the path, which fetch pull-responder=={VERSION}\n")


@pytest.fixture
def released(tmp_path: Path) -> Path:
    """The files of a release, made in a copy of what they are made of."""
    for name in (".ci/release-files", "LICENSE", "action.yml", "pyproject.toml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "kubectl-plugin", tmp_path / "kubectl-plugin")
    return tmp_path


def _release(folder: Path, tag: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 -- our own script
        [folder / ".ci/release-files", tag, "acme/pull-responder"], capture_output=True, text=True, check=False
    )


def test_the_manifest_is_valid_for_krew(released: Path) -> None:
    """Source: krew, "Writing Krew plugin manifests", and what `validate-krew-manifest` checks."""
    assert _release(released, f"v{VERSION}").stderr == ""
    archive = released / "build/release/kubectl-pull_why.tar.gz"
    manifest = yaml.safe_load((released / "build/release/pull-why.yaml").read_text(encoding="utf-8"))
    assert (manifest["apiVersion"], manifest["kind"]) == ("krew.googlecontainertools.github.com/v1alpha2", "Plugin")
    assert manifest["metadata"] == {"name": "pull-why"}
    spec = manifest["spec"]
    assert spec.keys() == {"version", "homepage", "shortDescription", "description", "caveats", "platforms"}
    assert (spec["version"], spec["homepage"]) == (f"v{VERSION}", "https://github.com/acme/pull-responder")
    assert len(spec["shortDescription"]) <= 50
    assert not spec["shortDescription"].endswith(".")
    (platform,) = spec["platforms"]
    assert platform["uri"] == (
        f"https://github.com/acme/pull-responder/releases/download/v{VERSION}/kubectl-pull_why.tar.gz"
    )
    assert platform["sha256"] == sha256(archive.read_bytes()).hexdigest()
    (matched,) = platform["selector"]["matchExpressions"]
    assert matched == {"key": "os", "operator": "In", "values": ["darwin", "linux"]}
    with tarfile.open(archive) as files:
        modes = {each.name: each.mode for each in files.getmembers()}
    assert {each["from"] for each in platform["files"]} == set(modes) == {"kubectl-pull_why", "LICENSE"}
    assert platform["bin"] == "kubectl-pull_why"
    assert modes["kubectl-pull_why"] & 0o111 == 0o111


def test_the_files_of_a_release_are_the_same_each_time(released: Path) -> None:
    made = []
    for _ in range(2):
        (released / "kubectl-plugin/kubectl-pull_why").touch()
        _release(released, f"v{VERSION}")
        made.append({each.name: each.read_bytes() for each in (released / "build/release").iterdir()})
    assert made[0] == made[1]


def test_a_release_has_one_version(released: Path) -> None:
    other = _release(released, "v9.9.9")
    assert (other.returncode, other.stderr) == (
        1,
        f"the tag is v9.9.9, and pyproject.toml has version {VERSION}\n",
    )
    script = released / "kubectl-plugin/kubectl-pull_why"
    script.write_text(re.sub(r"==[\d.]+", "==0.0.1", script.read_text()))
    stale = _release(released, f"v{VERSION}")
    assert (stale.returncode, stale.stderr) == (
        1,
        f"kubectl-plugin/kubectl-pull_why: does not name the version {VERSION} of pyproject.toml\n",
    )
