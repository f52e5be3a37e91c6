"""The Lambda layer with the packages that the Python runtime lacks. pip builds it, without Docker."""

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
    """The packages of lambdas/requirements.txt, installed for the functions' runtime and architecture."""

    def __init__(self, scope: Construct, construct_id: str) -> None:
        super().__init__(
            scope,
            construct_id,
            description="The packages that Pull Responder's functions need and the Lambda runtime lacks",
            # Scripts contain the path of the Python that installed them, and RECORD contains their hashes. Both would
            # differ on each machine, and change the hash of the asset.
            code=lambda_.Code.from_asset(str(build_layer()), exclude=["python/bin", "**/RECORD"]),
            compatible_runtimes=[RUNTIME],
            compatible_architectures=[ARCHITECTURE],
        )


def build_layer(requirements: Path = _REQUIREMENTS, build: Path = _ROOT / "build") -> Path:
    """Return the folder of the layer. Build it in `build` unless `build` has it already for these requirements.

    `requirements` must list and pin every package, because pip does not look for dependencies. Raises
    CalledProcessError when pip fails.
    """
    key = hashlib.sha256("\n".join((*_PIP, requirements.read_text())).encode()).hexdigest()[:16]
    layer = build / f"dependency-layer-{key}"
    if layer.is_dir():
        return layer
    build.mkdir(parents=True, exist_ok=True)
    # Build in a temporary folder and rename it. So an interrupted or a concurrent build cannot leave half a layer.
    with tempfile.TemporaryDirectory(dir=build) as temporary:
        target = Path(temporary) / layer.name
        command = [sys.executable, "-m", "pip", *_PIP, "--target", str(target / "python"), "-r", str(requirements)]
        subprocess.run(command, check=True)  # noqa: S603 -- our own command and our own requirements
        shutil.rmtree(layer, ignore_errors=True)
        target.rename(layer)
    return layer
