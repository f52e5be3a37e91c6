"""The AWS CLI, loaded once for all the commands that tests run.

`folder` holds a program `aws` to put on the path. A shell runs it as it would run the AWS CLI; it hands its arguments,
environment, working folder and files to a server, which has the real AWS CLI loaded and forks for each command. So a
command still has a process of its own, with nothing in it of the commands before, but does not load modules and
service models for half a second.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import socket
import subprocess
import sys
import tempfile
import traceback
from contextlib import suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NoReturn

_CLIENT: Final = """#!{python} -IS
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect({address!r})
    asked = json.dumps([sys.argv[1:], dict(os.environ), os.getcwd()]).encode()
    socket.send_fds(server, [b"%20d" % len(asked)], [0, 1, 2])
    server.sendall(asked)
    status = server.recv(8)
sys.exit(int(status))
"""
_LENGTH: Final = 20


@cache
def folder() -> Path:
    """Start the server of this process, and return the folder with the program that asks it."""
    made = tempfile.TemporaryDirectory(prefix="aws-cli-")
    place = Path(made.name)
    address = str(place / "server")
    program = place / "aws"
    program.write_text(_CLIENT.format(python=sys.executable, address=address))
    program.chmod(0o755)
    server = subprocess.Popen(  # noqa: S603 -- this module
        [sys.executable, "-m", "tests.aws_cli", address],
        cwd=Path(__file__).resolve().parents[1],
        env={"PATH": os.defpath},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert server.stdin
    assert server.stdout
    assert server.stdout.readline(), "the server of the AWS CLI did not start"

    def stop() -> None:
        assert server.stdin
        server.stdin.close()
        server.wait()
        made.cleanup()

    atexit.register(stop)
    return place


def serve(address: str) -> None:
    """Run each command that is asked for, one after the other, until whoever started this goes away."""
    driver = import_module("awscli.clidriver")
    session: Any = import_module("awscli.botocore.session")
    session.create_loader = cache(session.create_loader)
    # A first one loads what all of them load, and none of this environment is in the next.
    known = driver.create_clidriver().session
    known.get_available_services()
    # A command ends before there is anything to collect, and collecting would copy what it shares with this process.
    gc.disable()
    data_path = os.environ["AWS_DATA_PATH"]
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(address)
    listening.listen()
    print("ready", flush=True)  # noqa: T201 -- what `folder` waits for
    select = import_module("select").select
    while sys.stdin not in select([listening, sys.stdin], [], [])[0]:
        connection, _ = listening.accept()
        with connection:
            length, files, *_ = socket.recv_fds(connection, _LENGTH, 3)
            (arguments, environment, where) = json.loads(_receive(connection, int(length)))
            _load(known, next(iter(arguments), ""))
            child = os.fork()
            if not child:
                _run(driver, arguments, {**environment, "AWS_DATA_PATH": data_path}, where, files)
            for each in files:
                os.close(each)
            _, status = os.waitpid(child, 0)
            connection.sendall(str(os.waitstatus_to_exitcode(status)).encode())


@cache
def _load(session: Any, service: str) -> None:  # noqa: ANN401 -- the AWS CLI has no types
    """Make a client once: the loader then knows all that a command of that service reads."""
    keys = {"aws_access_key_id": "none", "aws_secret_access_key": "none"}
    # What is no service is for the AWS CLI itself to refuse.
    with suppress(Exception):
        session.create_client(service, region_name="us-east-1", **keys)


def _receive(connection: socket.socket, length: int) -> bytes:
    received = b""
    while len(received) < length:
        received += connection.recv(length - len(received))
    return received


def _run(driver: Any, arguments: list[str], environment: dict[str, str], where: str, files: list[int]) -> NoReturn:  # noqa: ANN401 -- a module without types
    """Be the AWS CLI, in a process that is its own."""
    status = 255
    try:
        for number, each in enumerate(files):
            os.dup2(each, number)
        os.chdir(where)
        os.environ.clear()
        os.environ.update(environment)
        sys.argv = ["aws", *arguments]
        status = driver.main()
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 1
    except BaseException:  # noqa: BLE001 -- as the interpreter would end
        traceback.print_exc()
        status = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    serve(sys.argv[1])
