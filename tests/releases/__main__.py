"""Keep what a release deploys: `python -m tests.releases FOLDER`, where FOLDER is a checkout of that release.

Writes tests/releases/VERSION/ with

- `template.json`: the template that the release synthesizes with the settings of this package
- `functions.zip`: the asset with the code of its functions, without what is compiled, with the same bytes each time

The layer with the packages is left out: at a megabyte it is most of a deployment, and other people's code.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path
from typing import Final

from tests.releases import CLUSTER, HELD_MINUTES, RELEASES

_SETTINGS: Final = {"auditLogClusters": [CLUSTER], "holdDownMinutes": HELD_MINUTES}
_LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)


def main(checkout: Path) -> None:
    """Keep what the release in `checkout` deploys."""
    version = tomllib.loads((checkout / "pyproject.toml").read_text())["project"]["version"]
    kept = RELEASES / version
    kept.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        assembly = _synthesize(checkout, Path(folder))
        (kept / "template.json").write_bytes((assembly / "PullResponder.template.json").read_bytes())
        (code,) = assembly.glob("asset.*/pull_responder")
        _pack(code.parent, kept / "functions.zip")


def _synthesize(checkout: Path, assembly: Path) -> Path:
    """Run the release's own app, as the CDK command line does. The untracked pull-responder.json does not count."""
    nothing = assembly / "settings.json"
    nothing.write_text("{}")
    context = json.loads((checkout / "cdk.json").read_text())["context"]
    context["pullResponder"] |= _SETTINGS
    context["settings"] = str(nothing)
    environment = {
        **os.environ,
        "CDK_CONTEXT_JSON": json.dumps(context),
        "CDK_OUTDIR": str(assembly),
        "PYTHONPATH": f"{checkout / 'lambdas'}{os.pathsep}{checkout}",
    }
    subprocess.run([sys.executable, "app.py"], cwd=checkout, env=environment, check=True)
    return assembly


def _pack(folder: Path, target: Path) -> None:
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for each in sorted(folder.rglob("*")):
            if each.is_file() and "__pycache__" not in each.parts:
                name = zipfile.ZipInfo(str(each.relative_to(folder)), _LONG_AGO)
                name.compress_type, name.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
                archive.writestr(name, each.read_bytes(), compresslevel=9)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
