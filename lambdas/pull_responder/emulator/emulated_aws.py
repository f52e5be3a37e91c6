"""Starts an emulated AWS on the loopback interface, and stops all its processes."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from mypy_boto3_sts.type_defs import CredentialsTypeDef

# moto's default account. It must not be changed, because moto's multi-account support depends on it.
ACCOUNT: Final = "123456789012"
REGION: Final = "us-east-1"
_START_SECONDS: Final = 60


class EmulatorError(Exception):
    """The emulator cannot be started. The message is one line that says why."""


@dataclass(frozen=True, slots=True)
class EmulatedAws:
    """A running emulated AWS.

    - `environment` holds the variables that send any AWS SDK, and `cdk`, to it, as the root of ACCOUNT.
    - `log` is the file with ministack's output, including that of its functions.
    - `account`, `region` are those of its clients where nothing else is asked for.
    """

    environment: Mapping[str, str]
    log: Path
    account: str = ACCOUNT
    region: str = REGION
    # A session costs more than most that is done with its clients, and makes one of them at a time.
    _session: Any = field(default_factory=lambda: import_module("boto3").Session(), repr=False, compare=False)
    _creating: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def client(
        self,
        service: str,
        *,
        account: str | None = None,
        credentials: CredentialsTypeDef | None = None,
        region: str | None = None,
    ) -> Any:  # noqa: ANN401 -- the client's type follows from `service`
        """Return a boto3 client of `service`: with `credentials` as STS returns them, else as the root of `account`."""
        own = {"AccessKeyId": account or self.account, "SecretAccessKey": "test", "SessionToken": None}
        keys = {**own, **(credentials or {})}
        endpoint = f"AWS_ENDPOINT_URL_{service.upper()}"
        with self._creating:
            return self._session.client(
                service,
                region_name=region or self.region,
                endpoint_url=self.environment.get(endpoint, self.environment["AWS_ENDPOINT_URL"]),
                aws_access_key_id=keys["AccessKeyId"],
                aws_secret_access_key=keys["SecretAccessKey"],
                aws_session_token=keys["SessionToken"],
            )

    def at(self, *, account: str = ACCOUNT, region: str = REGION) -> EmulatedAws:
        """Return the same emulated AWS, whose clients are of another account or region where nothing else is said."""
        return replace(self, account=account, region=region)


@contextmanager
def emulated_aws(*, lambda_python: Path | None = None) -> Iterator[EmulatedAws]:
    """Yield an emulated AWS that enforces IAM, and stop it afterwards.

    A twelve-digit access key is the root of that account. Session keys from STS have their role's permissions.
    `lambda_python` is the interpreter that runs deployed functions, by default this one. Raises EmulatorError when an
    emulator is not installed or does not start.
    """
    try:
        import_module("ministack")
        import_module("pull_responder.emulator.security_hub").apply()
        moto = import_module("moto.server").ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    except ModuleNotFoundError as missing:
        raise EmulatorError(f"the emulator needs {missing.name}: pip install -r requirements.txt") from missing
    # moto's web server logs every request, whatever log level moto has.
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    moto.start()
    try:
        host, port = moto.get_host_and_port()
        with tempfile.TemporaryDirectory(prefix="emulated-aws-", ignore_cleanup_errors=True) as folder:
            yield from _ministack(Path(folder), f"http://{host}:{port}", lambda_python or Path(sys.executable))
    finally:
        moto.stop()


def _ministack(folder: Path, security_hub: str, lambda_python: Path) -> Iterator[EmulatedAws]:
    """Run ministack with its state in `folder`. Deployed functions inherit its environment, so that is kept small."""
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    base = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL_SECURITYHUB": security_hub,
    }
    settings = {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "AUTH": "true",
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "STATE_DIR": str(folder),
        "LAMBDA_PYTHON": str(lambda_python),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    log = folder / "ministack.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, "-m", "pull_responder.emulator"],
            env={**base, **settings},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            # Ctrl-C goes to a terminal's whole process group. Only this process handles it, and stops the server.
            start_new_session=True,
        )
    try:
        _wait_until_healthy(url, server, log)
        import_module("pull_responder.emulator.hub_accounts").ask(url, account=ACCOUNT, region=REGION)
        yield EmulatedAws(
            environment={
                **base,
                "AWS_ENDPOINT_URL": url,
                "AWS_ENDPOINT_URL_S3": url,
                "AWS_ACCESS_KEY_ID": ACCOUNT,
                "AWS_SECRET_ACCESS_KEY": "test",
                "AWS_DEFAULT_REGION": REGION,
                "AWS_REGION": REGION,
            },
            log=log,
        )
    finally:
        _stop(server)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_healthy(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            last = log.read_text(errors="replace").strip().splitlines()[-1:] or ["it wrote nothing"]
            raise EmulatorError(f"ministack stopped while starting: {last[0]}")
        try:
            with urllib.request.urlopen(f"{url}/_ministack/health", timeout=2):  # noqa: S310 -- a loopback address
                return
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            time.sleep(0.1)
    raise EmulatorError(f"ministack did not answer within {_START_SECONDS} seconds")


def _stop(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(timeout=20)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
