"""How long a terminal waits, and what it knows then of what answered."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING, Final, NoReturn

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from pull_responder.facts.aws import Aws
from pull_responder.facts.gaps import Gaps, add_gaps, note_gaps
from pull_responder.facts.patience import NoTimeLeftError, Patience, places
from pull_responder.facts.reader import Reader
from pull_responder.model.reason import steps_of
from pull_responder.model.unread import Unread
from tests.unit.facts.conftest import ACCOUNT, REGION

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.unit.facts.conftest import Watched

WAIT: Final = 20


@pytest.fixture
def released() -> Iterator[Event]:
    event = Event()
    yield event
    event.set()


def hang(released: Event) -> None:
    released.wait(WAIT)


def refuse() -> NoReturn:
    raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "DescribeVpcs")


def fail() -> NoReturn:
    raise EndpointConnectionError(endpoint_url="https://iam.amazonaws.com")


def test_what_answers_is_told_from_what_does_not() -> None:
    patience = Patience(WAIT)
    assert patience.ask("ec2", REGION, lambda: 5) == 5
    with pytest.raises(ClientError):
        patience.ask("eks", REGION, refuse)
    with pytest.raises(EndpointConnectionError):
        patience.ask("iam", REGION, fail)
    assert (patience.started, patience.ended) == (3, 3)
    assert patience.answered == {("ec2", REGION), ("eks", REGION)}
    assert not patience.is_out


def test_a_call_that_hangs_is_left_when_the_time_is_out(released: Event) -> None:
    patience = Patience(0.01)
    with pytest.raises(NoTimeLeftError, match=r"no answer within 0.01 seconds"):
        patience.ask("ec2", REGION, lambda: released.wait(WAIT))
    assert (patience.started, patience.ended, patience.silent) == (1, 0, {("ec2", REGION)})


def test_a_call_is_not_made_when_the_time_is_out() -> None:
    seconds = [0.0]
    patience = Patience(30, lambda: seconds[0])
    seconds[0] = 30.0
    made: list[int] = []
    with pytest.raises(NoTimeLeftError, match=r"within 30 seconds"):
        patience.ask("ec2", REGION, lambda: made.append(1))
    assert made == []
    assert (patience.silent, patience.left_out, patience.is_out) == (set(), {("ec2", REGION)}, True)
    patience.begin()
    patience.ask("ec2", REGION, lambda: made.append(1))
    assert made == [1]


def test_whoever_waits_is_let_go_when_the_time_is_ended(released: Event) -> None:
    patience, begun = Patience(600), Event()

    def hang() -> None:
        begun.set()
        released.wait(WAIT)

    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(patience.ask, "ec2", REGION, hang)
        assert begun.wait(WAIT)
        patience.end()
        assert isinstance(asked.exception(WAIT), NoTimeLeftError)
    with pytest.raises(NoTimeLeftError):
        patience.ask("ec2", REGION, lambda: 1)


def test_what_a_call_could_not_read_is_noted_where_it_was_asked_for() -> None:
    with note_gaps() as gaps:
        Patience(WAIT).ask("ec2", REGION, lambda: add_gaps(Gaps(is_incomplete=True)))
    assert gaps.is_incomplete


def test_a_read_without_an_answer_is_unread_with_what_to_do(watched: Watched, released: Event) -> None:
    watched.session.events.register("before-call.ec2.DescribeVpcs", lambda **_: hang(released))
    # The clock stands still for a client to be made, and has run when the call is made.
    aws = Aws(watched.session, member_role="Reader", patience=Patience(0.5))
    assert not isinstance(aws.client("ec2", account=None, region=REGION), Unread)
    assert aws.patience
    aws.patience.begin()
    reader = Reader(aws)
    found = reader.call("ec2:DescribeVpcs", account=None, region=REGION, request=lambda ec2: ec2.describe_vpcs())
    assert isinstance(found, Unread)
    assert found.reason == "ec2:DescribeVpcs failed: no answer within 0.5 seconds"
    assert steps_of(found.reason) == ("Run the command again, with a longer --timeout if AWS is only slow.",)


def test_our_identity_is_asked_for_within_the_time_too(watched: Watched, released: Event) -> None:
    watched.session.events.register("before-call.sts.GetCallerIdentity", lambda **_: hang(released))
    aws = Aws(watched.session, member_role="Reader", patience=Patience(0.2))
    assert isinstance(aws.identity(REGION), Unread)
    assert isinstance(aws.identity_error, NoTimeLeftError)
    assert aws.patience
    assert aws.patience.silent == {("sts", REGION)}
    assert isinstance(aws.reach(ACCOUNT, region=REGION), Unread)


def test_places_are_named_by_region() -> None:
    assert places({("sts", "us-east-1"), ("ec2", "eu-west-1"), ("ecr", "eu-west-1")}) == (
        "ec2, ecr in eu-west-1, sts in us-east-1"
    )
