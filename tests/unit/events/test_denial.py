"""Access denied messages: every form AWS documents, cut ones, and ones that try to mislead."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pull_responder.events.denial import MESSAGE_LIMIT, parse_denial
from pull_responder.model.pull import PolicyType

if TYPE_CHECKING:
    from types import FrameType

    from _typeshed import TraceFunction

NODE = "arn:aws:sts::111111111111:assumed-role/eks-node/i-0123456789abcdef0"
REPOSITORY = "arn:aws:ecr:us-east-1:111111111111:repository/team/payments"
DENIED = f"User: {NODE} is not authorized to perform: ecr:BatchGetImage on resource: {REPOSITORY}"
SCP = "arn:aws:organizations::222222222222:policy/o-a1b2c3d4e5/service_control_policy/p-examplescp1"
MANAGED = "arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3"

REASONS = [
    ("", None, False, None),
    ("because no identity-based policy allows the ecr:BatchGetImage action", PolicyType.IDENTITY, False, None),
    ("because no identity-based policy allows the ecr:BatchGetImage action.", PolicyType.IDENTITY, False, None),
    ("because no resource-based policy allows the ecr:BatchGetImage action", PolicyType.RESOURCE, False, None),
    ("because no permissions boundary allows the ecr:BatchGetImage action", PolicyType.BOUNDARY, False, None),
    ("because no session policy allows the ecr:BatchGetImage action", PolicyType.SESSION, False, None),
    ("because no VPC endpoint policy allows the ecr:BatchGetImage action", PolicyType.VPC_ENDPOINT, False, None),
    ("because no service control policy allows the ecr:BatchGetImage action", PolicyType.SERVICE_CONTROL, False, None),
    ("because no resource control policy allows the x:Y action", PolicyType.RESOURCE_CONTROL, False, None),
    ("because no role trust policy allows the sts:AssumeRole action", None, False, None),
    ("because no session policy mentions it", None, False, None),
    ("with an explicit deny", None, True, None),
    ("with an explicit deny.", None, True, None),
    ("with an explicit deny in an identity-based policy", PolicyType.IDENTITY, True, None),
    ("with an explicit deny in a resource-based policy.", PolicyType.RESOURCE, True, None),
    ("with an explicit deny in a permissions boundary", PolicyType.BOUNDARY, True, None),
    ("with an explicit deny in a session policy", PolicyType.SESSION, True, None),
    ("with an explicit deny in a sessions policy", PolicyType.SESSION, True, None),
    ("with an explicit deny in a VPC endpoint policy", PolicyType.VPC_ENDPOINT, True, None),
    ("with an explicit deny in a resource control policy", PolicyType.RESOURCE_CONTROL, True, None),
    ("with an explicit deny in the role trust policy", None, True, None),
    (f"with an explicit deny in a service control policy: {SCP}", PolicyType.SERVICE_CONTROL, True, SCP),
    (
        f"with an explicit deny in an identity-based policy: {MANAGED}. Encoded authorization failure message: GHi3",
        PolicyType.IDENTITY,
        True,
        MANAGED,
    ),
    (
        "with an explicit deny in a VPC endpoint policy transitively through a service control policy",
        PolicyType.SERVICE_CONTROL,
        True,
        None,
    ),
]


@pytest.mark.parametrize(("reason", "policy_type", "explicit", "policy_arn"), REASONS)
def test_every_reason(reason: str, policy_type: PolicyType | None, explicit: bool, policy_arn: str | None) -> None:  # noqa: FBT001 -- a column of the table
    message = f"{DENIED} {reason}".strip()
    principal, denial = parse_denial(message, action="ecr:Unused")
    assert (principal, denial.action, denial.resource) == (NODE, "ecr:BatchGetImage", REPOSITORY)
    assert (denial.policy_type, denial.explicit, denial.policy_arn) == (policy_type, explicit, policy_arn)
    assert denial.message == message


@pytest.mark.parametrize(("reason", "policy_type", "explicit", "policy_arn"), REASONS)
def test_a_message_without_a_resource(
    reason: str,
    policy_type: PolicyType | None,
    explicit: bool,  # noqa: FBT001 -- a column of the table
    policy_arn: str | None,
) -> None:
    message = f"User: {NODE} is not authorized to perform: ecr:BatchGetImage {reason}".strip()
    _, denial = parse_denial(message, action="ecr:BatchGetImage")
    assert (denial.resource, denial.policy_type, denial.explicit) == ("", policy_type, explicit)
    assert denial.policy_arn == policy_arn


@pytest.mark.parametrize(
    ("written", "resource"),
    [
        ("*", "*"),
        ("*.", "*"),
        (f'"{REPOSITORY}"', REPOSITORY),
        (f"{REPOSITORY}.", REPOSITORY),
        (f"{REPOSITORY}...", f"{REPOSITORY}..."),
        ("arn:aws:ecr:us-east-1", ""),
        ("arn:aws:ecr:us-east-1:111111111111:repository/\x1b[31mred", ""),
        ("role nodes", ""),
        ("arn:aws:iam::111111111111:role/X", "arn:aws:iam::111111111111:role/X"),
        # The period of a sentence stands after its last word.
        (f"{REPOSITORY}. because", f"{REPOSITORY}."),
    ],
)
def test_how_the_resource_is_written(written: str, resource: str) -> None:
    message = f"User: {NODE} is not authorized to perform: ecr:BatchGetImage on resource: {written}"
    assert parse_denial(message, action="ecr:BatchGetImage")[1].resource == resource


@pytest.mark.parametrize(
    "principal",
    [
        "anonymous",
        "lambda.amazonaws.com",
        "arn:aws-cn:iam::111111111111:root",
        "arn:aws:iam::111111111111:user/build/ci",
        "arn:aws:sts::111111111111:federated-user/alice",
    ],
)
def test_whom_a_message_names(principal: str) -> None:
    message = f"An error occurred (AccessDeniedException) when calling it: {DENIED.replace(NODE, principal)}"
    assert parse_denial(message, action="ecr:BatchGetImage")[0] == principal


def test_names_that_repeat_the_grammar_are_names() -> None:
    session = "arn:aws:sts::111111111111:assumed-role/User:/with-an-explicit-deny-in-a-service-control-policy"
    repository = "arn:aws:ecr:us-east-1:111111111111:repository/because-no/session/policy-allows"
    reason = "because no identity-based policy allows the ecr:BatchGetImage action"
    message = f"User: {session} is not authorized to perform: ecr:BatchGetImage on resource: {repository} {reason}"
    principal, denial = parse_denial(message, action="ecr:BatchGetImage")
    assert (principal, denial.resource) == (session, repository)
    assert (denial.policy_type, denial.explicit, denial.policy_arn) == (PolicyType.IDENTITY, False, None)


def test_words_after_the_reason_decide_nothing() -> None:
    reason = "because no identity-based policy allows the ecr:BatchGetImage action"
    _, denial = parse_denial(f"{DENIED} {reason} with an explicit deny in a session policy", action="ecr:BatchGetImage")
    assert (denial.policy_type, denial.explicit) == (PolicyType.IDENTITY, False)


def test_a_message_of_a_network_activity_event() -> None:
    message = "The request was denied due to a VPC endpoint policy"
    principal, denial = parse_denial(message, action="ecr:BatchGetImage")
    assert (principal, denial.action, denial.resource) == ("", "ecr:BatchGetImage", "")
    assert denial.policy_type is PolicyType.VPC_ENDPOINT


def test_a_message_cut_anywhere_says_nothing_wrong() -> None:
    whole = f"{DENIED} with an explicit deny in a service control policy: {SCP}"
    for length in range(len(whole)):
        principal, denial = parse_denial(whole[:length], action="ecr:BatchGetImage")
        assert principal in ("", NODE)
        assert denial.action == "ecr:BatchGetImage"
        assert REPOSITORY.startswith(denial.resource)
        assert denial.policy_type in (None, PolicyType.SERVICE_CONTROL)
        assert denial.explicit is (length >= whole.index(" in a service"))


def test_the_last_word_of_a_message_that_cloudtrail_cut_is_not_believed() -> None:
    user = "arn:aws:iam::111111111111:user/" + "p" * (1024 + len("ments") - len(DENIED.replace(NODE, "")) - 31)
    message = DENIED.replace(NODE, user)[:1024]
    assert message.endswith(REPOSITORY.removesuffix("ments"))
    principal, denial = parse_denial(message, action="ecr:BatchGetImage")
    assert (principal, denial.resource) == (user, "")


def test_a_message_of_250_kilobytes_is_cut() -> None:
    message = f"{DENIED} because no session policy allows the ecr:BatchGetImage action " + "x" * 250_000
    principal, denial = parse_denial(message, action="ecr:BatchGetImage")
    assert (principal, denial.policy_type) == (NODE, PolicyType.SESSION)
    assert denial.message == message[:4_096]


@pytest.mark.parametrize(("length", "resource"), [(999, REPOSITORY), (1_000, "")])
def test_only_a_message_as_long_as_cloudtrails_limit_may_be_cut(length: int, resource: str) -> None:
    # ECR's messages can begin with more than the denial.
    before = "x" * (length - len(DENIED) - 1)
    assert parse_denial(f"{before} {DENIED}", action="ecr:BatchGetImage")[1].resource == resource


def test_of_a_message_that_is_cut_only_the_last_word_is_not_believed() -> None:
    before = "x" * (1_000 - len(f" {DENIED} on"))
    assert parse_denial(f"{before} {DENIED} on", action="ecr:BatchGetImage")[1].resource == REPOSITORY


@pytest.mark.parametrize(("rest", "action"), [("", "ecr:PutImage"), (" on", "ecr:BatchGetImage")])
def test_an_action_counts_where_a_word_follows_it(rest: str, action: str) -> None:
    message = f"User: {NODE} is not authorized to perform: ecr:BatchGetImage{rest}"
    assert parse_denial(message, action="ecr:PutImage")[1].action == action


def test_a_reason_follows_a_resource_that_is_not_named() -> None:
    message = f"User: {NODE} is not authorized to perform: ecr:BatchGetImage on this resource with an explicit deny"
    principal, denial = parse_denial(message, action="ecr:PutImage")
    assert (principal, denial.action, denial.resource, denial.explicit) == (NODE, "ecr:BatchGetImage", "", True)


@pytest.mark.parametrize(
    ("reason", "policy_type", "explicit"),
    [
        ("with an explicit deny in the session policy", PolicyType.SESSION, True),
        ("with an explicit deny by a session policy", None, True),
        ("with an explicit deny in session policy", None, True),
        ("with an explicit deny in some session policy", None, True),
        ("with an explicit denyX in a session policy", None, False),
        ("with an explicit deny in a session policyX", None, True),
    ],
)
def test_a_policy_is_named_only_in_the_words_of_the_grammar(
    reason: str,
    policy_type: PolicyType | None,
    explicit: bool,  # noqa: FBT001 -- a column of the table
) -> None:
    _, denial = parse_denial(f"{DENIED} {reason}", action="ecr:BatchGetImage")
    assert (denial.policy_type, denial.explicit, denial.policy_arn) == (policy_type, explicit, None)


def test_what_the_message_kept_is_redacted() -> None:
    _, denial = parse_denial("https://b.s3.amazonaws.com/k?X-Amz-Signature=0123abcd", action="ecr:BatchGetImage")
    assert denial.message == "https://b.s3.amazonaws.com/k?X-Amz-Signature=[redacted]"


GRAMMAR_WORDS = st.sampled_from([*DENIED.split(), *" ".join(reason for reason, *_ in REASONS).split(), ":", "."])


@given(st.one_of(st.text(), st.lists(GRAMMAR_WORDS, max_size=60).map(" ".join)))
def test_any_text_is_accepted(message: str) -> None:
    principal, denial = parse_denial(message, action="ecr:BatchGetImage")
    assert principal in message
    assert denial.resource in message
    assert len(denial.message) <= MESSAGE_LIMIT
    assert denial.policy_type is None or denial.policy_type.split()[-1].lower() in message.lower()


def steps(message: str) -> int:
    """How many bytecodes Python executes to read `message`."""
    count = 0

    def trace(frame: FrameType, event: str, _argument: object) -> TraceFunction:
        nonlocal count
        frame.f_trace_opcodes = True
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        parse_denial(message, action="ecr:BatchGetImage")
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("word", ["User:", "is not authorized to perform:", "x", "with an explicit deny in a", "\x1b["])
def test_work_grows_no_faster_than_the_message(word: str) -> None:
    def message(size: int) -> str:
        return f"{word} " * (size // (len(word) + 1))

    fixed = steps("")
    assert steps(message(1800)) - fixed <= 2.2 * (steps(message(900)) - fixed)
    assert steps(message(3600)) - fixed <= 2.2 * (steps(message(1800)) - fixed)
    # The same but for what the interpreter itself does now and then, such as collecting garbage.
    assert steps(message(500_000)) <= 1.1 * steps(message(250_000))


@pytest.mark.parametrize("before", ["", "arn:aws:iam::111111111111:user/a ", "by arn:aws:iam::111111111111:user/a "])
def test_a_principal_stands_after_the_word_user(before: str) -> None:
    words = "is not authorized to perform: ecr:BatchGetImage on resource: * User:"
    principal, denial = parse_denial(f"{before}{words}", action="ecr:PutImage")
    assert (principal, denial.action) == ("", "ecr:BatchGetImage")


def test_four_kibibytes_of_a_message_are_read_and_kept() -> None:
    assert parse_denial("x " * 9_000, action="ecr:BatchGetImage")[1].message == "x " * 2_048
    words = "User: a is not authorized to perform: ecr:BatchGetImage on"
    inside, outside = (f"{' ' * before}{words}" for before in (4096 - len(words), 4096))
    assert parse_denial(inside, action="x")[0] == "a"
    assert not parse_denial(outside, action="x")[0]
