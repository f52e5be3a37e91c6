"""Each fact at most once, several at a time, and never past the deadline."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Barrier, Event
from typing import TYPE_CHECKING, Any

import pytest
from botocore.awsrequest import AWSResponse, HTTPHeaders
from botocore.exceptions import ClientError, ReadTimeoutError

from pull_responder.diagnosis import diagnose
from pull_responder.facts.aws import Aws
from pull_responder.facts.gaps import Gaps, gaps_so_far, note_gaps
from pull_responder.facts.iam import PolicyText, Role
from pull_responder.facts.reader import Reader
from pull_responder.model.arn import Arn
from pull_responder.model.pull import Denial, Principal, PrincipalKind, PullFailure, Stage, Symptom
from pull_responder.model.unread import Unread
from pull_responder.pulls.pull_facts import PullFacts
from tests.unit.facts.conftest import ACCOUNT, OTHER, REGION, TRUST, document

if TYPE_CHECKING:
    from tests.unit.facts.conftest import Watched

BARRIER_SECONDS = 20


def a_pull(
    repository: str = "app", *, instance: str = "i-0123456789abcdef0", role_arn: str | None = None
) -> PullFailure:
    arn = f"arn:aws:sts::{ACCOUNT}:assumed-role/node/{instance}"
    return PullFailure(
        symptom=Symptom.ACCESS_DENIED,
        stage=Stage.MANIFEST,
        region=REGION,
        principal=Principal(PrincipalKind.ROLE, arn, "aws", ACCOUNT, "node", instance, role_arn),
        denial=Denial("ecr:BatchGetImage", f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{repository}", "no"),
        registry_account=ACCOUNT,
        repository=repository,
    )


def an_estate(watched: Watched) -> PullFailure:
    """A node whose role has a policy that is its boundary, too; returns its pull."""
    iam, ecr, ec2 = (watched.client(service) for service in ("iam", "ecr", "ec2"))
    guard = iam.create_policy(PolicyName="guard", PolicyDocument=document())["Policy"]["Arn"]
    iam.create_role(RoleName="node", AssumeRolePolicyDocument=json.dumps(TRUST), PermissionsBoundary=guard)
    iam.attach_role_policy(RoleName="node", PolicyArn=guard)
    for name in ("one", "two"):
        iam.put_role_policy(RoleName="node", PolicyName=name, PolicyDocument=document("Deny", "s3:*"))
        ecr.create_repository(repositoryName=name)
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "kubernetes.io/cluster/prod", "Value": "owned"}]}]
    node = ec2.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1, TagSpecifications=tags)["Instances"][0]
    return a_pull("one", instance=node["InstanceId"])


def test_a_diagnosis_makes_no_call_twice(watched: Watched) -> None:
    pull = an_estate(watched)
    reader = Reader(watched.aws)
    diagnosis = diagnose(pull, PullFacts(reader))
    assert diagnosis.role_arn == f"arn:aws:iam::{ACCOUNT}:role/node"
    assert {call for call, number in watched.calls.items() if number > 1} == set()
    assert reader.calls == watched.calls.total()
    by_name = {name for name, _ in watched.calls}
    assert {"GetRole", "ListRolePolicies", "GetRolePolicy", "GetPolicyVersion", "DescribeInstances"} <= by_name
    assert "ListClusters" not in by_name


def test_what_was_read_serves_the_next_pull(watched: Watched) -> None:
    pull = an_estate(watched)
    facts = PullFacts(Reader(watched.aws))
    diagnose(pull, facts)
    watched.calls.clear()
    diagnose(pull, facts)
    assert watched.calls.total() == 0
    assert pull.principal
    assert pull.principal.session_name
    diagnose(a_pull("two", instance=pull.principal.session_name), facts)
    assert {name for name, _ in watched.calls} <= {"DescribeRepositories", "GetRepositoryPolicy"}


def test_policies_and_repository_are_read_side_by_side(watched: Watched) -> None:
    pull = an_estate(watched)
    first_calls = (
        "iam.ListRolePolicies",
        "iam.ListAttachedRolePolicies",
        "ecr.GetRepositoryPolicy",
        "ecr.GetRegistryPolicy",
    )
    together = Barrier(len(first_calls))

    def meet(**_: object) -> None:
        together.wait(BARRIER_SECONDS)

    for call in first_calls:
        watched.session.events.register(f"before-call.{call}", meet)
    diagnose(pull, PullFacts(Reader(watched.aws)))
    assert not together.broken


def test_a_read_that_hangs_does_not_hold_up_the_answer(watched: Watched) -> None:
    pull = an_estate(watched)
    released = Event()

    def hang(**_: object) -> None:
        released.wait(BARRIER_SECONDS)

    watched.session.events.register("before-call.iam.GetRole", hang)
    answered = Event()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(diagnose, pull, PullFacts(Reader(watched.aws, remaining=lambda: 2.5)))
        asked.add_done_callback(lambda _: answered.set())
        was_answered = answered.wait(BARRIER_SECONDS - 5)
        released.set()
        diagnosis = asked.result()
    assert was_answered
    assert diagnosis.late
    assert diagnosis.role_arn is None
    assert "role_lacks_pull_permissions" in {each.cause for each in diagnosis.inconclusive}


def test_two_that_ask_at_once_share_one_read(watched: Watched) -> None:
    reader, asked, release = Reader(watched.aws), [], Event()

    def read() -> str:
        asked.append("once")
        release.wait(BARRIER_SECONDS)
        return "answer"

    with ThreadPoolExecutor(2) as pool:
        answers = [pool.submit(reader.once, "key", read) for _ in range(2)]
        release.set()
    assert [answer.result() for answer in answers] == ["answer", "answer"]
    assert asked == ["once"]


def test_an_error_goes_to_all_who_ask(watched: Watched) -> None:
    reader = Reader(watched.aws)

    def read() -> str:
        raise RuntimeError("a bug")

    for _ in range(2):
        with pytest.raises(RuntimeError, match="a bug"):
            reader.once("key", read)


def test_each_reads_in_parallel_and_keeps_the_order(watched: Watched) -> None:
    together = Barrier(3)

    def read(number: int) -> int:
        together.wait(BARRIER_SECONDS)
        return number * 10

    assert Reader(watched.aws).each(read, [3, 1, 2]) == [30, 10, 20]


def test_after_the_deadline_nothing_is_called(watched: Watched) -> None:
    reader = Reader(watched.aws, remaining=lambda: 1.9)
    answer = reader.call("iam:GetRole", account=ACCOUNT, region=REGION, request=lambda client: client.get_role())
    assert answer == Unread("iam:GetRole was not called: no time was left")
    assert watched.calls.total() == reader.calls == 0


@pytest.mark.parametrize(
    ("code", "expected"), [("NoSuchEntity", None), ("Throttling", Unread("iam:GetRole failed: Throttling: slow down"))]
)
def test_absent_is_not_unread(watched: Watched, code: str, expected: Unread | None) -> None:
    def request(_: object) -> str:
        raise ClientError({"Error": {"Code": code, "Message": "slow\ndown"}}, "GetRole")

    answer = Reader(watched.aws).call(
        "iam:GetRole", account=None, region=REGION, request=request, absent=frozenset({"NoSuchEntity"})
    )
    assert answer == expected


def test_a_reason_is_bounded(watched: Watched) -> None:
    def request(_: object) -> str:
        raise ClientError({"Error": {"Code": "Denied", "Message": "x" * 10_000}}, "GetRole")

    answer = Reader(watched.aws).call("iam:GetRole", account=None, region=REGION, request=request)
    assert isinstance(answer, Unread)
    assert len(answer.reason) == 400


def _who(aws: Aws, account: str | None) -> str:
    client = aws.client("sts", account=account, region=REGION)
    assert not isinstance(client, Unread)
    arn: str = client.get_caller_identity()["Arn"]
    return arn


def test_another_account_is_read_through_the_member_role(watched: Watched) -> None:
    aws = watched.aws
    assert _who(aws, OTHER) == f"arn:aws:sts::{OTHER}:assumed-role/PullResponderReadOnly/pull-responder"
    assert _who(aws, ACCOUNT) == _who(aws, None)
    assert ACCOUNT in _who(aws, None)
    assert [name for name, _ in watched.calls].count("AssumeRole") == 1


def test_assumed_credentials_are_kept_and_renewed_in_time(watched: Watched) -> None:
    now = datetime.now(UTC)
    clock = [now]
    identity = Arn("aws", "sts", "", ACCOUNT, "assumed-role/responder/diagnose")
    aws = Aws(watched.session, member_role="Reader", identity=identity, now=lambda: clock[0])

    def assumed() -> int:
        aws.client("iam", account=OTHER, region=REGION)
        return sum(number for (name, _), number in watched.calls.items() if name == "AssumeRole")

    assert assumed() == assumed() == 1
    clock[0] = now + timedelta(minutes=54)
    assert assumed() == 1
    clock[0] = now + timedelta(minutes=56)
    assert assumed() == 2


def test_an_account_that_cannot_be_reached_is_asked_once_and_says_why(watched: Watched) -> None:
    asked = []

    # moto lets everybody assume every role.
    def refuse(**_: object) -> Any:  # noqa: ANN401 -- what botocore takes for an answer
        asked.append("AssumeRole")
        error = {"Code": "AccessDenied", "Message": "not authorized to perform: sts:AssumeRole"}
        return AWSResponse("", 403, HTTPHeaders(), None), {"Error": error, "ResponseMetadata": {}}

    watched.session.events.register("before-call.sts.AssumeRole", refuse)
    reader = Reader(watched.aws)
    facts = PullFacts(reader)
    reason = (
        f"sts:AssumeRole of arn:aws:iam::{OTHER}:role/PullResponderReadOnly failed: "
        "AccessDenied: not authorized to perform: sts:AssumeRole"
    )
    assert facts.role(OTHER, REGION, "node") == Unread(reason)
    assert facts.identity_policies(OTHER, REGION, "node") == (Unread(reason), Unread(reason))
    assert facts.repository_policy(OTHER, REGION, "app") == Unread(reason)
    assert asked == ["AssumeRole"]
    assert reader.calls == 0


def unknown(watched: Watched) -> Aws:
    """AWS without knowing who we are."""
    return Aws(watched.session, member_role="PullResponderReadOnly")


def test_who_we_are_is_asked_beside_the_first_read(watched: Watched) -> None:
    an_estate(watched)
    watched.calls.clear()
    together = Barrier(2)

    def meet(**_: object) -> None:
        together.wait(BARRIER_SECONDS)

    for call in ("sts.GetCallerIdentity", "iam.GetRole"):
        watched.session.events.register(f"before-call.{call}", meet)
    role = PullFacts(Reader(unknown(watched))).role(ACCOUNT, REGION, "node")
    assert isinstance(role, Role)
    assert not together.broken
    assert watched.calls.total() == 2


def test_what_was_read_of_ourselves_is_no_answer_for_another_account(watched: Watched) -> None:
    an_estate(watched)
    assert PullFacts(Reader(unknown(watched))).role(OTHER, REGION, "node") is None


def test_our_own_account_by_its_id_and_without_is_one_fact(watched: Watched) -> None:
    facts = PullFacts(Reader(unknown(watched)))
    by_none = facts.cluster_names(None, REGION)
    facts.identity()
    assert facts.cluster_names(ACCOUNT, REGION) == by_none
    assert sum(number for (name, _), number in watched.calls.items() if name == "ListClusters") == 1
    facts.cluster_names(OTHER, REGION)
    assert "AssumeRole" in {name for name, _ in watched.calls}


def refuse(**_: object) -> Any:  # noqa: ANN401 -- what botocore takes for an answer
    error = {"Error": {"Code": "AccessDenied", "Message": "refused"}, "ResponseMetadata": {}}
    return AWSResponse("", 403, HTTPHeaders(), None), error


@pytest.mark.parametrize("listed", [True, False], ids=["listed", "refused"])
def test_default_versions_are_listed_once_and_asked_for_singly_where_that_is_refused(
    watched: Watched, *, listed: bool
) -> None:
    iam = watched.client("iam")
    iam.create_role(RoleName="many", AssumeRolePolicyDocument=json.dumps(TRUST))
    for number in range(3):
        arn = iam.create_policy(PolicyName=f"p{number}", PolicyDocument=document())["Policy"]["Arn"]
        iam.create_policy_version(PolicyArn=arn, PolicyDocument=document("Deny"), SetAsDefault=True)
        iam.attach_role_policy(RoleName="many", PolicyArn=arn)
    if not listed:
        watched.session.events.register("before-call.iam.ListPolicies", refuse)
    policies = PullFacts(Reader(watched.aws)).identity_policies(ACCOUNT, REGION, "many")
    assert isinstance(policies, tuple)
    assert [each.default_version for each in policies if isinstance(each, PolicyText)] == ["v2"] * 3
    assert all(each.document["Statement"][0]["Effect"] == "Deny" for each in policies if isinstance(each, PolicyText))
    assert sum(number for (name, _), number in watched.calls.items() if name == "GetPolicy") == (0 if listed else 3)


def test_a_call_that_hung_is_not_made_again_by_the_same_reader(watched: Watched) -> None:
    reader, asked = Reader(watched.aws), []

    def hang(_: object) -> None:
        asked.append(1)
        raise ReadTimeoutError(endpoint_url="https://ec2.example")

    with note_gaps() as gaps:
        for region in (REGION, REGION, "eu-west-1"):
            answer = reader.call("ec2:DescribeInstances", account=None, region=region, request=hang)
            assert isinstance(answer, Unread)
            assert answer.reason.startswith("ec2:DescribeInstances failed: ReadTimeoutError")
    assert len(asked) == 2
    assert gaps == Gaps(is_incomplete=True)
    # What is refused answers at once, so it may be asked about something else.
    assert reader.call("ec2:DescribeVpcs", account=None, region=REGION, request=lambda _: "answer") == "answer"


def refused(_: object) -> Any:  # noqa: ANN401 -- it never answers
    raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "DescribeVpcs")


def test_who_did_not_need_what_could_not_be_read_lacks_nothing(watched: Watched) -> None:
    reader = Reader(watched.aws)

    def fact(name: str) -> object:
        request = refused if name == "refused" else lambda _: "answer"
        return reader.once(name, lambda: reader.call("ec2:DescribeVpcs", account=None, region=REGION, request=request))

    with note_gaps() as one:
        fact("refused")
    with note_gaps() as another:
        fact("answered")
    # What was read for the first is used again, also within another fact and by threads.
    with note_gaps() as again:
        fact("refused")
    with note_gaps() as within:
        reader.once("both", lambda: reader.each(fact, ["answered", "refused"]))
    with note_gaps() as of_both:
        reader.once("both", list)
    assert [one, again, within, of_both] == [Gaps(is_incomplete=True)] * 4
    assert another == gaps_so_far() == Gaps()


def test_what_was_read_ahead_in_vain_lacks_nothing_until_it_is_needed(watched: Watched) -> None:
    reader, done = Reader(watched.aws), Event()

    def fact() -> object:
        return reader.once(
            "refused", lambda: reader.call("ec2:DescribeVpcs", account=None, region=REGION, request=refused)
        )

    def read_ahead() -> None:
        fact()
        done.set()

    with note_gaps() as ahead:
        reader.start([read_ahead])
        assert done.wait(BARRIER_SECONDS)
    with note_gaps() as needed:
        fact()
    assert (ahead, needed) == (Gaps(), Gaps(is_incomplete=True))


def test_a_diagnosis_whose_facts_were_read_before_time_ran_out_is_whole(watched: Watched) -> None:
    seconds = 100.0
    facts = PullFacts(Reader(watched.aws, remaining=lambda: seconds))
    pull = an_estate(watched)
    first = diagnose(pull, facts)
    seconds = 1.0
    other = diagnose(replace(pull, repository="never-read"), facts)
    again = diagnose(pull, facts)
    assert [each.late for each in (first, other, again)] == [False, True, False]
