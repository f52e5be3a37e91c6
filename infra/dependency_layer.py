"""The Lambda layer with the packages that the functions need, the AWS SDK among them. pip builds it, without Docker.

The runtime has an SDK too, of whichever version. The layer's comes first: Lambda developer guide, "Working with .zip
file archives for Python Lambda functions": libraries in layers have precedence over those of the runtime.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import aws_cdk as cdk
from aws_cdk import aws_lambda as lambda_

from infra.asset_folder import BUILD, COMPILE, build_once, compile_code
from infra.runtime_python import RUNTIME_VERSION, find_runtime_python
from infra.sdk_data import cut_sdk_data, read_operations

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from constructs import Construct

LOCKED: Final = Path(__file__).resolve().parent.parent / "lambdas" / "requirements.lock"
_VERSION: Final = ".".join(map(str, RUNTIME_VERSION))
# Powertools' Logger imports it.
_USED_UTILITIES: Final = ("jmespath_utils",)
RUNTIME: Final = lambda_.Runtime.PYTHON_3_13
ARCHITECTURE: Final = lambda_.Architecture.ARM_64
_PIP: Final = (
    *("install", "--quiet", "--disable-pip-version-check", "--require-hashes", "--no-deps", "--no-compile"),
    *("--only-binary=:all:", "--platform", "manylinux2014_aarch64", "--implementation", "cp"),
    *("--python-version", _VERSION),
)


class DependencyLayer(lambda_.LayerVersion):
    """The packages of lambdas/requirements.lock, installed for the functions' runtime and architecture.

    They are compiled where this machine has a Python of the runtime's version. Where it has none, functions start more
    slowly, and synthesis says so.
    """

    def __init__(self, scope: Construct, construct_id: str) -> None:
        python = find_runtime_python()
        super().__init__(
            scope,
            construct_id,
            # `pull-responder doctor` reads the version of the SDK here.
            description=f"The packages that Pull Responder's functions need, with boto3 {read_sdk_version()}",
            code=lambda_.Code.from_asset(str(build_layer(python=python))),
            compatible_runtimes=[RUNTIME],
            compatible_architectures=[ARCHITECTURE],
        )
        if python is None:
            cdk.Annotations.of(self).add_info_v2(
                "pull-responder:layer-not-compiled",
                f"No Python {_VERSION} was found here to compile the functions' code and their layer with. They work, "
                "and each new process of them takes twice the time to start",
            )


def read_sdk_version(locked: Path = LOCKED) -> str:
    """Return the version of the AWS SDK for Python (boto3) that `locked` pins."""
    pinned = (line.split()[0] for line in locked.read_text().splitlines() if line.startswith("boto3=="))
    return next(pinned).partition("==")[2]


def build_layer(
    locked: Path = LOCKED,
    build: Path = BUILD,
    *,
    operations: Mapping[str, Collection[str]] | None = None,
    python: Path | None = None,
) -> Path:
    """Return the folder of the layer. Build it in `build` unless `build` has it already for the same arguments.

    - `locked` lists, pins and hashes every package, because pip looks for no dependencies and accepts nothing else
    - `operations` are those that the SDK knows, by services; None: those that the functions call; empty: all
    - `python` compiles the packages; None: they are not compiled

    Raises CalledProcessError when pip fails, LookupError when the SDK does not know an operation.
    """
    kept = read_operations() if operations is None else operations

    def fill(layer: Path) -> None:
        packages = layer / "python"
        _install(locked, packages)
        _delete_unused(packages)
        if kept and (packages / "botocore").is_dir():
            cut_sdk_data(packages, kept)
        if python is not None:
            compile_code(python, packages, at="/opt/python")

    how = (Path(__file__).read_text(), Path(__file__).with_name("sdk_data.py").read_text())
    parts = (*(COMPILE if python else ()), json.dumps({name: list(kept[name]) for name in kept}), *how)
    return build_once(build, "dependency-layer", (*parts, locked.read_text()), fill)


def _delete_unused(packages: Path) -> None:
    """Delete what the functions do not import.

    That is nine tenths of Powertools, dateutil's own copy of all time zones, and urllib3's part for browsers.
    """
    powertools = packages / "aws_lambda_powertools"
    shutil.rmtree(powertools / "event_handler", ignore_errors=True)
    for each in powertools.glob("utilities/*/"):
        if each.name not in _USED_UTILITIES:
            shutil.rmtree(each)
    shutil.rmtree(packages / "urllib3" / "contrib" / "emscripten", ignore_errors=True)
    (packages / "dateutil" / "zoneinfo" / "dateutil-zoneinfo.tar.gz").unlink(missing_ok=True)


def _install(locked: Path, packages: Path) -> None:
    subprocess.run(  # noqa: S603 -- our own command and our own requirements
        [sys.executable, "-m", "pip", *_PIP, "--target", str(packages), "-r", str(locked)],
        check=True,
    )
    # Scripts contain the path of the Python that installed them, and RECORD contains their hashes. Both would differ on
    # each machine, and change the hash of the asset.
    shutil.rmtree(packages / "bin", ignore_errors=True)
    for record in packages.glob("*.dist-info/RECORD"):
        record.unlink()
