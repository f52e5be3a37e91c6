"""Which accounts and regions are reached, and what a failure to reach one costs the others."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Event
from typing import TYPE_CHECKING, Any, Final

import pytest
from botocore.awsrequest import AWSResponse, HTTPHeaders
from botocore.exceptions import ReadTimeoutError
from botocore.loaders import JSONFileLoader

from pull_responder.facts import aws as aws_module
from pull_responder.facts.aws import Aws
from pull_responder.facts.reader import Reader
from pull_responder.model.arn import Arn
from pull_responder.model.unread import Unread
from pull_responder.pulls.pull_facts import PullFacts
from tests.unit.facts.conftest import ACCOUNT, OTHER, REGION

if TYPE_CHECKING:
    from tests.unit.facts.conftest import Watched

IDENTITY: Final = Arn("aws", "sts", "", ACCOUNT, "assumed-role/responder/diagnose")
MADE_UP: Final = "us-east-77"
WAIT: Final = 20


class Sts:
    """What is asked of STS, and whether it answers."""

    def __init__(self, watched: Watched, call: str) -> None:
        self.regions: list[str] = []
        self.broken = False
        watched.session.events.register(f"before-call.sts.{call}", self._answer)

    def _answer(self, context: dict[str, Any], **_: object) -> Any:  # noqa: ANN401 -- what botocore takes for an answer
        self.regions.append(context["client_region"])
        if not self.broken:
            return None
        error = {"Error": {"Code": "AccessDenied", "Message": "no"}, "ResponseMetadata": {}}
        return AWSResponse("", 403, HTTPHeaders(), None), error


@pytest.fixture
def clock() -> list[datetime]:
    return [datetime.now(UTC)]


def test_a_role_is_assumed_in_our_own_region_whatever_region_is_asked_about(watched: Watched) -> None:
    sts = Sts(watched, "AssumeRole")
    facts = PullFacts(Reader(watched.aws))
    assert facts.repository_names(OTHER, "eu-west-1") == ()
    assert sts.regions == [REGION]


@pytest.mark.parametrize("region", [MADE_UP, "eu-west-1.evil.example", "../x", "US-EAST-1", "us-east-1 "])
def test_a_made_up_region_makes_nothing_unreachable(watched: Watched, region: str) -> None:
    sts = Sts(watched, "AssumeRole")
    facts = PullFacts(Reader(watched.aws))
    assert facts.repository_names(OTHER, region) == Unread(f"ecr in {region!r}: the AWS SDK knows no such region")
    assert sts.regions == []
    assert facts.repository_names(OTHER, REGION) == ()


def test_our_own_region_counts_even_if_the_sdk_does_not_know_it(watched: Watched) -> None:
    watched.session._session.set_config_variable("region", MADE_UP)
    aws = Aws(watched.session, member_role="Reader", identity=IDENTITY)
    assert aws.region == MADE_UP
    assert not isinstance(aws.client("ecr", account=ACCOUNT, region=MADE_UP), Unread)


def test_an_unreachable_account_is_asked_again_after_seconds(watched: Watched, clock: list[datetime]) -> None:
    sts = Sts(watched, "AssumeRole")
    sts.broken = True
    aws = Aws(watched.session, member_role="Reader", identity=IDENTITY, now=lambda: clock[0])
    reader = Reader(aws)
    assert isinstance(PullFacts(reader).repository_names(OTHER, REGION), Unread)
    sts.broken = False
    assert isinstance(PullFacts(reader).cluster_names(OTHER, REGION), Unread)
    assert len(sts.regions) == 1
    clock[0] += timedelta(seconds=31)
    assert PullFacts(reader).role(OTHER, REGION, "node") is None
    assert len(sts.regions) == 2


def test_one_unreachable_account_is_no_other(watched: Watched) -> None:
    sts = Sts(watched, "AssumeRole")
    sts.broken = True
    aws = watched.aws
    assert isinstance(aws.reach(OTHER, region=REGION), Unread)
    sts.broken = False
    assert aws.reach("222222222222", region=REGION) is None


def test_clients_are_kept_for_so_many_regions_only(watched: Watched) -> None:
    aws = watched.aws
    first = aws.client("ecr", account=ACCOUNT, region=REGION)
    for service in ("ecr", "eks", "ec2", "kms", "iam"):
        for region in aws.known_regions:
            if region.startswith(("us-", "eu-", "ap-", "ca-", "sa-")):
                assert not isinstance(aws.client(service, account=ACCOUNT, region=region), Unread)
            assert aws.client("ecr", account=ACCOUNT, region=REGION) is first
    assert len(aws._clients) == 160


def test_a_further_account_loads_no_model_again(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    sts = Sts(watched, "AssumeRole")
    aws = watched.aws
    for service in ("ec2", "iam"):
        assert not isinstance(aws.client(service, account=OTHER, region=REGION), Unread)
    loaded: list[str] = []
    load = JSONFileLoader.load_file

    def note(loader: JSONFileLoader, path: str) -> object:
        loaded.append(path)
        return load(loader, path)

    monkeypatch.setattr(JSONFileLoader, "load_file", note)
    for service in ("ec2", "iam"):
        assert not isinstance(aws.client(service, account="222222222222", region=REGION), Unread)
    assert len(sts.regions) == 2
    assert [each for each in loaded if "service" in each] == []


def test_each_account_is_asked_with_its_own_keys(watched: Watched) -> None:
    aws = watched.aws
    accounts = (None, ACCOUNT, OTHER, "222222222222", OTHER)
    clients: list[Any] = [aws.client("iam", account=each, region=REGION) for each in accounts]
    keys = [each._request_signer._credentials.get_frozen_credentials() for each in clients]
    assert clients[0] is clients[1]
    assert clients[2] is clients[4]
    assert len({each.access_key for each in keys}) == len({each.token for each in keys}) == 3
    own: Any = watched.session.get_credentials()
    assert keys[0] == own.get_frozen_credentials()
    assert repr(aws._members.get(OTHER)).count(keys[2].access_key) == 1
    assert not any(secret in repr(aws._members.get(OTHER)) for secret in (keys[2].secret_key, keys[2].token))


def test_the_roles_of_so_many_accounts_only_are_kept(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    assert aws_module._MOST_MEMBERS == 1000
    monkeypatch.setattr(aws_module, "_MOST_MEMBERS", 16)
    sts = Sts(watched, "AssumeRole")
    aws = watched.aws
    for number in range(50):
        assert aws.reach(f"3000000000{number:02}", region=REGION) is None
        assert aws.reach(OTHER, region=REGION) is None
    assert len(aws._members) == 16
    assert len(sts.regions) == 51, "the account that is asked about again and again is kept"
    assert aws.reach("300000000000", region=REGION) is None
    assert len(sts.regions) == 52, "one that went is reached again"


def test_accounts_that_events_make_up_take_no_memory(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    sts = Sts(watched, "AssumeRole")
    sts.broken = True
    aws = watched.aws
    monkeypatch.setattr(aws._failures, "get", Unread)  # instead of 2,000 calls
    for number in range(2000):
        assert isinstance(aws.reach(f"40000000{number:04}", region=REGION), Unread)
    assert (len(aws._members), len(aws._asking)) == (0, 1000)


def test_a_hanging_sts_is_asked_once_for_all_who_wait(watched: Watched, clock: list[datetime]) -> None:
    asked, waiting, answer = [], Event(), Event()

    def hang(**_: object) -> None:
        asked.append("GetCallerIdentity")
        waiting.set()
        answer.wait(WAIT)
        raise ReadTimeoutError(endpoint_url="https://sts.example")

    watched.session.events.register("before-call.sts.GetCallerIdentity", hang)
    aws = Aws(watched.session, member_role="Reader", now=lambda: clock[0])
    with ThreadPoolExecutor(8) as pool:
        asks = [pool.submit(aws.identity) for _ in range(8)]
        assert waiting.wait(WAIT)
        answer.set()
        answers = {each.result() for each in asks}
    assert asked == ["GetCallerIdentity"]
    (failed,) = answers
    assert isinstance(failed, Unread)
    assert failed.reason.startswith("sts:GetCallerIdentity failed: ReadTimeoutError")
    assert aws.identity() == failed
    clock[0] += timedelta(seconds=31)
    assert aws.identity() == failed
    assert len(asked) == 2


def test_who_we_are_takes_seconds_at_most(watched: Watched) -> None:
    """All tries together, with what the SDK waits between them: at most a second after the first try."""
    config: Any = watched.aws._sts(REGION).meta.config  # the stubs leave out its options
    attempts = config.retries["total_max_attempts"]
    assert attempts * (config.connect_timeout + config.read_timeout) + (attempts - 1) <= 15


def test_an_own_role_that_could_not_be_read_is_read_later(watched: Watched, clock: list[datetime]) -> None:
    """A function knows its own ARN, and asks for its role."""
    sts = Sts(watched, "GetCallerIdentity")
    function = Arn("aws", "lambda", REGION, ACCOUNT, "function:diagnose")
    aws = Aws(watched.session, member_role="Reader", identity=function, now=lambda: clock[0])
    sts.broken = True
    assert aws._own_role(function, REGION) is None
    sts.broken = False
    clock[0] += timedelta(seconds=31)
    aws._own_role(function, REGION)
    assert len(sts.regions) == 2
    assert aws._caller is not None


def test_what_was_assumed_is_used_to_its_end_where_it_cannot_be_renewed(
    watched: Watched, clock: list[datetime]
) -> None:
    sts = Sts(watched, "AssumeRole")
    start = clock[0]
    aws = Aws(watched.session, member_role="Reader", identity=IDENTITY, now=lambda: clock[0])
    assert aws.reach(OTHER, region=REGION) is None
    sts.broken = True
    clock[0] = start + timedelta(minutes=56)
    assert aws.reach(OTHER, region=REGION) is None
    assert len(sts.regions) == 2
    clock[0] = start + timedelta(minutes=61)
    assert isinstance(aws.reach(OTHER, region=REGION), Unread)
