from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from infra.dependency_layer import build_layer

if TYPE_CHECKING:
    from pathlib import Path


def test_the_layer_is_built_once_for_the_same_requirements(tmp_path: Path) -> None:
    requirements, build = tmp_path / "requirements.txt", tmp_path / "build"
    requirements.write_text("jmespath==1.1.0\n")
    layer = build_layer(requirements, build)
    assert (layer / "python" / "jmespath" / "__init__.py").is_file()
    (layer / "kept").touch()
    assert build_layer(requirements, build) == layer
    assert (layer / "kept").exists()

    requirements.write_text("jmespath==1.1.0  # with a comment\n")
    assert build_layer(requirements, build) != layer


def test_a_failed_build_leaves_no_files(tmp_path: Path) -> None:
    requirements, build = tmp_path / "requirements.txt", tmp_path / "build"
    requirements.write_text("./no-such-package\n")
    with pytest.raises(subprocess.CalledProcessError):
        build_layer(requirements, build)
    assert list(build.iterdir()) == []
