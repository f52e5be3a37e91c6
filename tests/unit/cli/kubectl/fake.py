"""A kubectl that answers from a file, for the PATH of a test: what it was asked, and what it printed there."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = """\
#!{python}
import json, pathlib, sys
folder = pathlib.Path(__file__).parent
with (folder / "asked").open("a") as asked:
    asked.write(json.dumps(sys.argv[1:]) + "\\n")
for answer in json.loads((folder / "answers").read_text()):
    if all(word in sys.argv[1:] for word in answer["asked"]):
        sys.stdout.write(answer["out"])
        sys.stderr.write(answer["err"])
        sys.exit(answer["status"])
sys.stderr.write("Error from server (NotFound): nothing recorded for " + " ".join(sys.argv[1:]) + "\\n")
sys.exit(1)
"""


class FakeKubectl:
    """Answers the first recorded call all of whose words are among those that were asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._answers: list[dict[str, Any]] = []
        script = folder / "kubectl"
        script.write_text(SCRIPT.format(python=sys.executable))
        script.chmod(0o755)
        self._write()

    def answer(self, *asked: str, out: object = None, err: str = "", status: int = 0) -> None:
        """Record an answer: an object that is printed as JSON, or an error with its exit status."""
        printed = out if isinstance(out, str) else "" if out is None else json.dumps(out)
        self._answers.insert(0, {"asked": asked, "out": printed, "err": err, "status": status})
        self._write()

    def refuse(self, *asked: str, err: str) -> None:
        self.answer(*asked, err=f"{err}\n", status=1)

    @property
    def asked(self) -> list[list[str]]:
        """The arguments of all calls, in the order in which they came."""
        path = self.folder / "asked"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def _write(self) -> None:
        (self.folder / "answers").write_text(json.dumps(self._answers))


def configuration(
    *,
    context: str = "prod",
    cluster: str = "prod",
    server: str = "https://10.0.0.1:6443",
    namespace: str = "",
    sign_in: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """What `kubectl config view --minify -o json` prints."""
    about = {"cluster": cluster, "user": "me", **({"namespace": namespace} if namespace else {})}
    return {
        "kind": "Config",
        "apiVersion": "v1",
        "current-context": context,
        "clusters": [{"name": cluster, "cluster": {"server": server, "certificate-authority-data": "DATA+OMITTED"}}],
        "contexts": [{"name": context, "context": about}],
        "users": [{"name": "me", "user": {"exec": sign_in} if sign_in else {"token": "REDACTED"}}],
    }
