"""The layer with what the functions import beyond Lambda's Python runtime. Built by pip alone: no Docker."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aws_cdk import aws_lambda as lambda_

if TYPE_CHECKING:
    from constructs import Construct

_ROOT: Final = Path(__file__).resolve().parent.parent
_REQUIREMENTS: Final = _ROOT / "lambdas" / "requirements.txt"
RUNTIME: Final = lambda_.Runtime.PYTHON_3_13
ARCHITECTURE: Final = lambda_.Architecture.ARM_64
_PIP: Final = (
    *("install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-compile", "--only-binary=:all:"),
    *("--platform", "manylinux2014_aarch64", "--implementation", "cp", "--python-version", "3.13"),
)


class DependencyLayer(lambda_.LayerVersion):
    """lambdas/requirements.txt, installed for the functions' runtime and architecture."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(
            scope,
            construct_id,
            description="What Pull Responder's functions need beyond the Lambda runtime",
            # Scripts carry the path of the Python that installed them, and RECORD their hashes: no two builds agree.
            code=lambda_.Code.from_asset(str(built()), exclude=["python/bin", "**/RECORD"]),
            compatible_runtimes=[RUNTIME],
            compatible_architectures=[ARCHITECTURE],
        )


def built(requirements: Path = _REQUIREMENTS, build: Path = _ROOT / "build") -> Path:
    """Return the folder of the layer, which is built into `build` unless it is there for these requirements.

    Every requirement has to be listed and pinned, as none is looked for. Raises CalledProcessError when pip fails.
    """
    key = hashlib.sha256("\n".join((*_PIP, requirements.read_text())).encode()).hexdigest()[:16]
    layer = build / f"dependency-layer-{key}"
    if layer.is_dir():
        return layer
    build.mkdir(parents=True, exist_ok=True)
    # Built aside and renamed, so that neither an interrupted build nor one beside this one leaves half a layer.
    with tempfile.TemporaryDirectory(dir=build) as aside:
        target = Path(aside) / layer.name
        command = [sys.executable, "-m", "pip", *_PIP, "--target", str(target / "python"), "-r", str(requirements)]
        subprocess.run(command, check=True)  # noqa: S603 -- our own command and our own requirements
        shutil.rmtree(layer, ignore_errors=True)
        target.rename(layer)
    return layer
