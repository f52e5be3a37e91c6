"""Measures what the AWS SDK costs in the functions' layer, whole and cut: `python -m bench.layer`.

Each layer is built as for a deployment. Its size is what Lambda counts (unzipped) and what is sent (zipped). The start
of a function is measured in processes of its own with nothing but the layer and the functions' code, by the Python
that the functions run on where this machine has one: the import of the function `diagnose`, and the creation of a
client of each service. It is processor time, which is what most of a cold start is. The functions' own code is compiled
beforehand, so that only the layers differ.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from infra.dependency_layer import build_layer
from infra.function_code import build_code
from infra.runtime_python import find_runtime_python
from infra.sdk_data import read_operations

_RUNS: Final = 5
_PROCESS: Final = """
import sys, time
started = time.process_time()
import pull_responder.handlers.diagnose
imported = time.process_time()
import boto3
for service in sys.argv[1:]:
    boto3.client(service)
print(imported - started, time.process_time() - imported)
"""


def _sizes(layer: Path) -> tuple[float, float]:
    """Return the size of a layer in MB, unzipped and zipped."""
    unzipped = sum(each.stat().st_size for each in layer.rglob("*") if each.is_file())
    with tempfile.TemporaryDirectory() as folder:
        zipped = Path(shutil.make_archive(f"{folder}/layer", "zip", layer)).stat().st_size
    return unzipped / 1e6, zipped / 1e6


def _start(python: Path, layer: Path, lambdas: Path) -> tuple[float, float]:
    """Return the processor time of the import, and that of the creation of all clients, in seconds: medians."""
    environment = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "POWERTOOLS_SERVICE_NAME": "bench",
        # Lambda cannot keep what it compiles.
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": f"{layer / 'python'}{os.pathsep}{lambdas}",
    }
    seconds = []
    for _ in range(_RUNS):
        done = subprocess.run(  # noqa: S603 -- a Python of this machine, with the program above
            [str(python), "-S", "-c", _PROCESS, *read_operations()],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        imported, created = map(float, done.stdout.split()[-2:])
        seconds.append((imported, created))
    return statistics.median(each[0] for each in seconds), statistics.median(each[1] for each in seconds)


def main() -> None:
    """Build each layer, and print its size and how fast a function starts with it."""
    runtime = find_runtime_python()
    python = runtime or Path(sys.executable)
    with tempfile.TemporaryDirectory() as folder:
        build = Path(folder)
        lambdas = build_code(build, python=runtime)
        layers = {
            "whole SDK": build_layer(build=build, operations={}),
            "cut SDK": build_layer(build=build),
        }
        if runtime:
            layers["whole SDK, compiled"] = build_layer(build=build, operations={}, python=runtime)
            layers["cut SDK, compiled"] = build_layer(build=build, python=runtime)
        sys.stdout.write(
            f"The functions' layer, processor time, median of {_RUNS} processes of {python.name}:\n"
            "                        unzipped    zipped    import    clients of all services\n"
        )
        for name, layer in layers.items():
            unzipped, zipped = _sizes(layer)
            imported, created = _start(python, layer, lambdas)
            sys.stdout.write(
                f"  {name:<20}  {unzipped:6.1f} MB  {zipped:5.1f} MB  {imported:6.2f} s  {created:6.2f} s\n"
            )


if __name__ == "__main__":
    main()
