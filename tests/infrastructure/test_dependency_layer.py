from __future__ import annotations

import ast
import importlib.metadata
import json
import os
import re
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from infra.dependency_layer import LOCKED, build_layer
from infra.runtime_python import find_runtime_python
from infra.sdk_data import read_operations

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
LAMBDAS = ROOT / "lambdas"
PIN = re.compile(r"([A-Za-z0-9._-]+)==([^\s\\;]+)")
JMESPATH = "jmespath==1.1.0 --hash=sha256:a5663118de4908c91729bea0acadca56526eb2698e83de10cd116ae0f4e97c64\n"
ARCHIVED = {
    "imageDetails": [
        {"registryId": "123456789012", "repositoryName": "app", "imageDigest": "sha256:1", "imageStatus": "ARCHIVED"}
    ]
}
# Packages of the terminal, the demo and the tests. Their calls are not the functions'.
NOT_DEPLOYED = {"cli", "demo", "doctor", "emulator", "generate"}


@pytest.fixture(scope="module")
def layer() -> Path:
    """The folder of the layer's packages, as it is deployed."""
    return build_layer(python=find_runtime_python()) / "python"


def run_with(layer: Path, program: str, **environment: str) -> str:
    """Run a program with the packages of the layer and the functions' code alone, as on Lambda. Return its output."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))}
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
    done = subprocess.run(  # noqa: S603 -- this interpreter, with a program of the tests
        # -S leaves out the packages of this interpreter.
        [sys.executable, "-S", "-c", program],
        env={
            **clean,
            **keys,
            "PYTHONPATH": f"{layer}{os.pathsep}{LAMBDAS}",
            # What this interpreter compiled would be deployed with the layer.
            "PYTHONDONTWRITEBYTECODE": "1",
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def pins(text: str) -> dict[str, str]:
    """Return the versions in a requirements file, by name."""
    return {name.lower().replace("_", "-").replace(".", "-"): version for name, version in PIN.findall(text)}


def named_services() -> set[str]:
    """Return the services of which the functions' code makes a client.

    That is `….client("sqs", …)`, and `Clients.get(session, "sts", region)`.
    """
    found = set()
    for path in (LAMBDAS / "pull_responder").rglob("*.py"):
        if path.relative_to(LAMBDAS / "pull_responder").parts[0] in NOT_DEPLOYED:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                place = {("client", 1): slice(0, 1), ("get", 3): slice(1, 2)}
                for service in node.args[place.get((node.func.attr, len(node.args)), slice(0))]:
                    if isinstance(service, ast.Constant):
                        found.add(str(service.value))
    return found


def test_the_layer_has_every_service_that_the_functions_call(layer: Path) -> None:
    named = named_services()
    assert {"dynamodb", "securityhub", "sns", "sqs", "sts"} <= named
    assert {"ec2", "ecr", "eks", "iam", "kms", "organizations"} <= set(read_operations())
    services = sorted(named | set(read_operations()))
    program = f"""
import boto3
for service in {services!r}:
    print(boto3.client(service).meta.service_model.service_name)
print(len(boto3.session.Session().get_available_regions("ecr")) > 20)
"""
    assert run_with(layer, program).split() == [*services, "True"]


def test_the_layer_has_no_other_service(layer: Path) -> None:
    data = {each.name for each in (layer / "botocore" / "data").iterdir() if each.is_dir()}
    assert data == set(read_operations())
    assert all(len(list((layer / "botocore" / "data" / each).iterdir())) == 1 for each in data)


def test_the_handlers_load_with_the_layer_alone(layer: Path) -> None:
    program = """
import boto3, botocore
from pull_responder.handlers import audit_log, diagnose, hub_setup, recheck
print(boto3.__file__, botocore.__version__)
"""
    location, version = run_with(layer, program, POWERTOOLS_SERVICE_NAME="test").split()
    assert Path(location).is_relative_to(layer)
    assert version == importlib.metadata.version("botocore")


@pytest.fixture
def archive() -> Iterator[str]:
    """The URL of an ECR of which every image is archived. No emulator archives images."""

    class Archive(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.dumps(ARCHIVED).encode()
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the name in the base class
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Archive)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_archived_image_is_read_as_archived(layer: Path, archive: str) -> None:
    # botocore before 1.41 drops what it does not know, and the image looks active.
    program = """
from pull_responder.facts.aws import Aws
from pull_responder.facts.images import ImageName, read_image
from pull_responder.facts.reader import Reader
from pull_responder.model.arn import Arn
aws = Aws.connect(member_role="x", identity=Arn.parse("arn:aws:lambda:us-east-1:123456789012:function:x"))
print(read_image(Reader(aws), "123456789012", "us-east-1", ImageName("app", tag="1")).status)
"""
    assert run_with(layer, program, AWS_ENDPOINT_URL=archive).strip() == "ARCHIVED"


def test_what_is_packaged_is_what_is_tested() -> None:
    packaged = pins(LOCKED.read_text())
    assert {"boto3", "botocore", "urllib3", "aws-lambda-powertools"} <= set(packaged)
    assert packaged == {name: importlib.metadata.version(name) for name in packaged}


def test_what_is_packaged_has_hashes() -> None:
    requirements = LOCKED.read_text().replace("\\\n", " ").splitlines()
    assert requirements
    assert [each for each in requirements if "--hash=sha256:" not in each] == []


@pytest.mark.parametrize("folder", [LAMBDAS, ROOT])
def test_the_locks_are_up_to_date(folder: Path) -> None:
    asked, locked = (pins((folder / f"requirements.{kind}").read_text()) for kind in ("txt", "lock"))
    assert asked
    assert {name: locked.get(name.split("[")[0]) for name in asked} == asked


def test_the_layer_is_compiled_for_the_runtime_where_that_python_is_at_hand(tmp_path: Path) -> None:
    python = find_runtime_python()
    if python is None:
        pytest.skip("no Python of the functions' version")
    locked = tmp_path / "requirements.lock"
    locked.write_text(JMESPATH)
    plain = build_layer(locked, tmp_path / "build")
    compiled = build_layer(locked, tmp_path / "build", python=python)
    again = build_layer(locked, tmp_path / "other", python=python)
    assert list(plain.rglob("*.pyc")) == []
    codes = sorted(each.relative_to(compiled) for each in compiled.rglob("*.pyc"))
    assert {each.suffixes[0] for each in codes} == {".cpython-313"}
    for each in codes:
        # The second word of the header: the code is tied to a hash that is not checked. PEP 552.
        assert (compiled / each).read_bytes()[4:8] == b"\x01\x00\x00\x00"
        # The asset's hash has to be the same wherever it is built.
        assert (compiled / each).read_bytes() == (again / each).read_bytes()
        assert b"/opt/python/jmespath/" in (compiled / each).read_bytes()


def test_the_layer_is_built_once_for_the_same_requirements(tmp_path: Path) -> None:
    locked, build = tmp_path / "requirements.lock", tmp_path / "build"
    locked.write_text(JMESPATH)
    layer = build_layer(locked, build)
    assert (layer / "python" / "jmespath" / "__init__.py").is_file()
    (layer / "kept").touch()
    assert build_layer(locked, build) == layer
    assert (layer / "kept").exists()

    locked.write_text(f"# with a comment\n{JMESPATH}")
    assert build_layer(locked, build) != layer
    assert build_layer(locked, build, operations={"ecr": ["DescribeImages"]}) not in (layer, build_layer(locked, build))


@pytest.mark.parametrize("requirement", ["./no-such-package", "jmespath==1.1.0", JMESPATH.replace("a56", "b56")])
def test_a_failed_build_leaves_no_files(tmp_path: Path, requirement: str) -> None:
    locked, build = tmp_path / "requirements.lock", tmp_path / "build"
    locked.write_text(f"{requirement}\n")
    with pytest.raises(subprocess.CalledProcessError):
        build_layer(locked, build)
    assert list(build.iterdir()) == []
