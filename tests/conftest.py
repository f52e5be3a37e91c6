"""What several kinds of test share: one emulated AWS a test session."""

from __future__ import annotations

import gc
import os
import venv
from importlib import metadata
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from pull_responder.emulator.emulated_aws import emulated_aws
from tests.kept_clients import keep

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pull_responder.emulator.emulated_aws import EmulatedAws

# No test depends on how fast the machine is or on what Hypothesis happens to draw today: the same examples every time.
# EXAMPLES says how many, where a test does not.
settings.register_profile(
    "steady",
    deadline=None,
    derandomize=True,
    max_examples=int(os.environ.get("EXAMPLES", "100")),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("steady")

# boto3 and all that it needs: what Lambda's Python runtime brings along, and nothing else.
LAMBDA_RUNTIME = ("boto3", "botocore", "s3transfer", "jmespath", "python-dateutil", "six", "urllib3")


# moto would load thousands of machine images for each account and region.
os.environ["MOTO_EC2_LOAD_DEFAULT_AMIS"] = "false"

# What tests import and collect stays until the end, and a tenth of their time went into looking through it for garbage.
gc.set_threshold(50_000, 20, 20)


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def kept_clients() -> Iterator[None]:
    """Each boto3 session and client would make anew what is the same for all."""
    with pytest.MonkeyPatch.context() as patch:
        keep(patch)
        yield


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--write-examples", metavar="FOLDER", help="Write the causes' examples, and run nothing else.")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say why tests of pages were left out: quiet runs name no reasons."""
    left_out = [each for each in terminalreporter.stats.get("skipped", []) if each.nodeid.startswith("tests/browser/")]
    reasons = dict.fromkeys(each.longrepr[2].removeprefix("Skipped: ") for each in left_out)
    for reason in reasons:
        terminalreporter.write_line(f"{len(left_out)} tests of pages were left out: {reason}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--write-examples"):
        others = [item for item in items if "example" not in getattr(item, "fixturenames", ())]
        items[:] = [item for item in items if item not in others]
        config.hook.pytest_deselected(items=others)


@pytest.fixture(scope="session")
def lambda_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that knows boto3 only, so that a dependency missing from the deployed assets shows."""
    home = tmp_path_factory.mktemp("lambda-runtime")
    venv.create(home, symlinks=True)
    packages = next(home.glob("lib/python*/site-packages"))
    for name in LAMBDA_RUNTIME:
        distribution = metadata.distribution(name)
        for top in {file.parts[0] for file in distribution.files or () if file.parts[0] not in {"..", "__pycache__"}}:
            (packages / top).symlink_to(str(distribution.locate_file(top)))
    return home / "bin" / "python"


@pytest.fixture(scope="session")
def aws(lambda_python: Path) -> Iterator[EmulatedAws]:
    """An emulated AWS that enforces IAM, shared by the session: name things apart, or use your own account."""
    with emulated_aws(lambda_python=lambda_python) as running:
        yield running
