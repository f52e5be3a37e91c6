"""The container image: what its Dockerfile names is there, and its one installation works."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Final

from tests.packaging.conftest import ROOT, Installed, install

if TYPE_CHECKING:
    from pathlib import Path

DOCKERFILE: Final = re.sub(r"\\\n\s*", "", (ROOT / "Dockerfile").read_text(encoding="utf-8"))
STEPS: Final = [line.split(maxsplit=1) for line in DOCKERFILE.splitlines() if line and not line.startswith("#")]


def _steps(name: str) -> list[str]:
    return [rest for step, rest in STEPS if step == name]


def test_it_is_slim_pinned_and_runs_as_nobody_special() -> None:
    (base,) = _steps("FROM")
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+", base)
    (user,) = _steps("USER")
    assert re.fullmatch(r"(\d+):\1", user)
    assert int(user.split(":")[0]) >= 1000
    assert _steps("ENTRYPOINT") == ['["pull-responder"]']
    # The user is made last: root has nothing more to do.
    names = [step for step, _ in STEPS]
    assert names.index("USER") > max(number for number, name in enumerate(names) if name == "RUN")


def test_what_it_mounts_is_sent_to_the_builder() -> None:
    (run,) = _steps("RUN")
    mounted = re.findall(r"--mount=type=bind,source=([^,]+),target=", run)
    assert mounted == ["dist", "requirements.lock"]
    assert (ROOT / "requirements.lock").is_file()
    ignored, *kept = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert ignored == "*"
    for sent in ("dist/pull_responder-0.2.0-py3-none-any.whl", "requirements.lock"):
        assert any(fnmatch(f"!{sent}", each) for each in kept)
    assert not any(fnmatch("!pull-responder.json", each) for each in kept)


def test_its_installation_works_and_has_the_versions_that_are_tested(wheel: Path, tmp_path: Path) -> None:
    (run,) = _steps("RUN")
    words = shlex.split(re.sub(r"--mount=\S+", "", run).split("&&")[0])
    assert words[:4] == ["python", "-m", "pip", "install"]
    places = {"/requirements.lock": str(ROOT / "requirements.lock"), "/dist/pull_responder-*.whl": str(wheel)}
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)  # noqa: S603 -- this Python
    install(str(tmp_path / "venv/bin/python"), *(places.get(word, word) for word in words[1:]))
    image = Installed(tmp_path / "venv" / "bin")
    assert image.run("pull-responder", "causes", folder=tmp_path).returncode == 0
    frozen = image.run("python", "-m", "pip", "freeze", folder=tmp_path).stdout.lower().splitlines()
    locked = (ROOT / "requirements.lock").read_text(encoding="utf-8").lower()
    assert "boto3==" in "\n".join(frozen)
    for each in frozen:
        if not each.startswith("pull-responder"):
            assert each.replace("_", "-") in locked.replace("_", "-")
