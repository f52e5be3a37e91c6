from __future__ import annotations

import json
import os
import select
import subprocess
import sys
from typing import Any

import pytest

from pull_responder.authorization.cases import _CASE

COMMAND = (sys.executable, "-c", "from pull_responder.cli.main import main; main()", "evaluate")
CASE: dict[str, Any] = {
    "id": "same account",
    "request": {
        "principal": "arn:aws:iam::111111111111:role/node",
        "action": "ecr:BatchGetImage",
        "resource": {"arn": "arn:aws:ecr:us-east-1:111111111111:repository/app", "accountId": "111111111111"},
        "context": {},
    },
    "identityPolicies": [
        {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}}
    ],
}


def evaluate(*lines: bytes, form: str = "json") -> list[str]:
    done = subprocess.run(  # noqa: S603 -- this interpreter, with our own command
        [*COMMAND, "--format", form], input=b"\n".join(lines) + b"\n", capture_output=True, check=True
    )
    assert done.stderr == b""
    return done.stdout.decode().splitlines()


def test_lines_in_decisions_out_in_order() -> None:
    across = {**CASE, "id": 2, "request": {**CASE["request"], "resource": {"arn": "*", "accountId": "222222222222"}}}
    assert [json.loads(line) for line in evaluate(json.dumps(CASE).encode(), json.dumps(across).encode())] == [
        {"id": "same account", "decision": "Allowed", "blocked_by": []},
        {"id": 2, "decision": "ImplicitlyDenied", "blocked_by": ["resource"]},
    ]


def test_what_is_no_case_is_said_and_the_rest_goes_on() -> None:
    wrong = {**CASE, "identityPolicies": [{"Statement": {"Effect": "Permit", "Action": "*", "Resource": "*"}}]}
    answers = [
        json.loads(line)
        for line in evaluate(b"nope", b'{"id": "\xff"}', json.dumps(wrong).encode(), json.dumps(CASE).encode())
    ]
    assert [sorted(answer) for answer in answers] == [["error", "id"]] * 3 + [["blocked_by", "decision", "id"]]
    assert "identityPolicies[0]: Statement[0].Effect: must be Allow or Deny" in answers[2]["error"]
    assert answers[2]["id"] == "same account"


def test_text_is_a_line_a_case() -> None:
    lines = evaluate(json.dumps({**CASE, "identityPolicies": []}).encode(), b'{"id": "a\\ud800"}', form="text")
    assert lines[0] == "same account: ImplicitlyDenied, blocked by identity"
    assert lines[1].startswith("a : error: ")


def test_what_aws_does_not_document_is_undecided_and_says_why() -> None:
    pattern = "arn:aws:ecr:us-east-1:111111111111:repo*"
    allow = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "ecr:*", "Resource": pattern}}
    line = json.dumps({**CASE, "identityPolicies": [allow]}).encode()
    why = f'how AWS matches "{pattern}": it has a wildcard in the resource type'
    assert [json.loads(each) for each in evaluate(line)] == [
        {"id": "same account", "decision": "Undecided", "blocked_by": [], "unknown": [why]}
    ]
    assert evaluate(line, form="text") == [f"same account: Undecided: {why}"]


def test_the_example_of_the_help_is_a_line_of_input() -> None:
    done = subprocess.run([*COMMAND, "--help"], capture_output=True, check=True, text=True)  # noqa: S603 -- as above
    (example,) = [line.strip() for line in done.stdout.splitlines() if line.strip().startswith('{"id": "example"')]
    assert [json.loads(each) for each in evaluate(example.encode())] == [
        {"id": "example", "decision": "ImplicitlyDenied", "blocked_by": ["scp"]}
    ]


def test_help_names_every_key_of_the_input() -> None:
    done = subprocess.run([*COMMAND, "--help"], capture_output=True, check=True, text=True)  # noqa: S603 -- as above
    assert all(key in done.stdout for key in (*_CASE, "principal", "action", "resource (arn, accountId)", "context"))


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ([b"nope"], 2),
        ([b"nope", b'{"id": 1}'], 2),
        ([b"nope", json.dumps(CASE).encode()], 0),
        ([json.dumps(CASE).encode(), b"nope"], 0),
        ([b"", b"  "], 0),
    ],
    ids=["one bad", "all bad", "the first bad", "the last bad", "blank"],
)
def test_only_lines_that_cannot_be_used_are_no_success(lines: list[bytes], status: int) -> None:
    done = subprocess.run(COMMAND, input=b"\n".join(lines) + b"\n", capture_output=True, check=False)  # noqa: S603 -- as above
    assert done.returncode == status
    assert len(done.stdout.splitlines()) == len([line for line in lines if line.strip()])
    said = b"pull-responder: standard input: no line could be evaluated (--help has an example of one)\n"
    assert done.stderr == (said if status else b"")


def test_an_empty_input_is_no_success() -> None:
    done = subprocess.run(COMMAND, input=b"", capture_output=True, check=False)  # noqa: S603 -- as above
    said = b"pull-responder: standard input is empty: it needs a case a line (--help has an example of one)\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, b"", said)


def test_help_names_what_is_not_modelled() -> None:
    done = subprocess.run([*COMMAND, "--help"], capture_output=True, check=True, text=True)  # noqa: S603 -- as above
    _, _, missing = done.stdout.partition("Not modelled:")
    assert all(
        word in missing for word in ("anonymous callers", "grants", "access control lists", "management account")
    )


def test_a_line_is_answered_before_the_next_one_comes() -> None:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    with subprocess.Popen(  # noqa: S603 -- this interpreter, with our own command
        COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
    ) as asked:
        assert asked.stdin
        assert asked.stdout
        asked.stdin.write(json.dumps(CASE).encode() + b"\n")
        asked.stdin.flush()
        answered, _, _ = select.select([asked.stdout], [], [], 30)
        asked.stdin.close()
    assert answered
