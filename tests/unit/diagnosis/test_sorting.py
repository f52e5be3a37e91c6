"""What checks say, sorted by the rules of reporting: with checks of our own, and nothing to read."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from threading import Event
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from pull_responder.checks import CHECKS, role_lacks_pull_permissions
from pull_responder.checks.check import BEFORE_UNPACK, UNREACHED, Check, Explains
from pull_responder.diagnosis import Undecided, diagnose
from pull_responder.facts.aws import Aws
from pull_responder.facts.gaps import note_gaps
from pull_responder.facts.images import Image
from pull_responder.facts.reader import Reader
from pull_responder.model.arn import Arn
from pull_responder.model.pull import Denial, PolicyType, Principal, PrincipalKind, PullFailure, Stage, Symptom
from pull_responder.model.unread import Unread
from pull_responder.model.verdict import Remediation, Resource, Severity, Verdict
from pull_responder.pulls.pull_facts import PullFacts

if TYPE_CHECKING:
    from collections.abc import Callable

ACCOUNT = "123456789012"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/nodes/node"
REPOSITORY = "arn:aws:ecr:us-east-1:111111111111:repository/app"
IDENTITY_LACKS = Denial("ecr:BatchGetImage", REPOSITORY, "no", PolicyType.IDENTITY, explicit=False)
IDENTITY_DENIES = replace(IDENTITY_LACKS, explicit=True)
NO_REASON = Denial("ecr:BatchGetImage", REPOSITORY, "no")
# The event names the cluster and the role's own ARN, so that nothing has to be read about either.
PULL = PullFailure(
    symptom=Symptom.ACCESS_DENIED,
    stage=Stage.MANIFEST,
    region="us-east-1",
    principal=Principal(
        PrincipalKind.ROLE,
        f"arn:aws:sts::{ACCOUNT}:assumed-role/node/i-0123456789abcdef0",
        "aws",
        ACCOUNT,
        "node",
        "i-0123456789abcdef0",
        ROLE,
    ),
    denial=IDENTITY_LACKS,
    registry_account="111111111111",
    repository="app",
    cluster="prod",
    observed_at="2026-03-01T12:00:00Z",
)
STRANGER = replace(
    PULL,
    principal=Principal(PrincipalKind.USER, f"arn:aws:iam::{ACCOUNT}:user/ann", "aws", ACCOUNT, "ann"),
    cluster=None,
)
NOBODY = replace(PULL, principal=Principal(PrincipalKind.UNKNOWN, "", "aws", None, None), cluster=None)


AUTHORIZATION = UNREACHED | {Symptom.ACCESS_DENIED, Symptom.NOT_AUTHENTICATED, Symptom.UNKNOWN}


class Nowhere(Aws):
    """An AWS that tells nothing: what is read ahead of the checks is not to leave this machine."""

    def reach(self, account: str | None, *, region: str) -> Unread:
        return Unread(f"{account} in {region} is not there")

    def client(self, service: str, *, account: str | None, region: str, role: str | None = None) -> Unread:
        del role
        return Unread(f"{service} of {account} in {region} is not there")


def facts(remaining: Callable[[], float] = lambda: float("inf")) -> PullFacts:
    identity = Arn("aws", "sts", "", ACCOUNT, "assumed-role/responder/diagnose")
    aws = Nowhere(boto3.session.Session("no", "keys", region_name="us-east-1"), member_role="none", identity=identity)
    return PullFacts(Reader(aws, remaining=remaining))


def check(cause: str, verdict: Verdict | Callable[[], Verdict], **more: Any) -> Check:  # noqa: ANN401 -- fields of Check
    defaults: dict[str, Any] = {"policy_type": PolicyType.IDENTITY, "explicit": False, "resource_type": "AwsIamRole"}
    defaults |= {"explains": (), "also_at": AUTHORIZATION}
    return Check(
        id=cause,
        title=f"Title of {cause}",
        severity=Severity.HIGH,
        permissions=(),
        docs_url="https://example.com",
        examine=lambda _pull, _facts: verdict if isinstance(verdict, Verdict) else verdict(),
        **{**defaults, **more},
    )


def failed(type_: str = "AwsIamRole", arn: str = ROLE, account: str = ACCOUNT) -> Verdict:
    return Verdict.failed(
        resource=Resource(type_, arn, account),
        explanation="because",
        evidence=("proof",),
        remediation=Remediation("mend it", account, "us-east-1", "https://example.com"),
    )


PASSED, OPEN, NONE = Verdict.passed("fine"), Verdict.inconclusive("unread"), Verdict.not_applicable("no such thing")


def test_a_failed_check_becomes_a_finding_with_all_it_said() -> None:
    diagnosis = diagnose(PULL, facts(), checks=[check("a", failed())])
    [finding] = diagnosis.findings
    assert (finding.cause, finding.title, finding.severity) == ("a", "Title of a", Severity.HIGH)
    assert (finding.account, finding.region, finding.cluster) == (ACCOUNT, "us-east-1", "prod")
    assert (finding.resource.id, finding.explanation, finding.evidence) == (ROLE, "because", ("proof",))
    assert finding.first_observed_at == finding.last_observed_at == "2026-03-01T12:00:00Z"
    assert finding.pull is PULL
    assert diagnosis.note == ""
    assert diagnosis.role_arn == ROLE
    assert not diagnosis.late


def test_every_failed_check_is_reported_in_the_order_of_the_checks() -> None:
    checks = [check("b", failed()), check("a", failed()), check("c", PASSED), check("d", NONE)]
    diagnosis = diagnose(PULL, facts(), checks=checks)
    assert [finding.cause for finding in diagnosis.findings] == ["b", "a"]
    assert diagnosis.passed == ("c",)


def test_neither_wording_nor_time_changes_the_identity_and_a_repositorys_hangs_on_the_role_account() -> None:
    of_repository = failed("AwsEcrRepository", REPOSITORY, "111111111111")

    def identity(pull: PullFailure, *, by_role_account: bool = True) -> str:
        asked = check("a", of_repository, by_role_account=by_role_account)
        [finding] = diagnose(pull, facts(), checks=[asked]).findings
        return finding.id

    assert PULL.principal
    later = replace(PULL, observed_at="2027-01-01T00:00:00Z", denial=NO_REASON, tag="v2")
    elsewhere = replace(PULL, principal=replace(PULL.principal, account="222222222222"))
    assert identity(PULL) == identity(later)
    assert identity(PULL).startswith("pull-responder/a/111111111111/us-east-1/")
    assert identity(PULL) != identity(elsewhere)
    assert identity(PULL, by_role_account=False) == identity(elsewhere, by_role_account=False)


def test_only_what_a_repository_refuses_to_some_accounts_hangs_on_the_role_account() -> None:
    assert {each.id for each in CHECKS if each.by_role_account} == {
        "registry_policy_denies_pull",
        "repository_policy_denies_pull",
        "repository_policy_lacks_grant",
    }


@pytest.mark.parametrize(
    ("denial", "open_one", "is_needed"),
    [
        (IDENTITY_LACKS, {}, True),
        (IDENTITY_LACKS, {"explicit": None}, True),
        (IDENTITY_LACKS, {"policy_type": None}, True),
        (IDENTITY_LACKS, {"explicit": True}, False),
        (IDENTITY_LACKS, {"policy_type": PolicyType.BOUNDARY}, False),
        (IDENTITY_DENIES, {}, False),
        (IDENTITY_DENIES, {"explicit": True}, True),
        (NO_REASON, {"policy_type": PolicyType.BOUNDARY}, True),
        (NO_REASON, {"explicit": True}, True),
        (replace(NO_REASON, explicit=True), {}, False),
        (replace(NO_REASON, explicit=True), {"explicit": None}, True),
        (None, {}, True),
    ],
)
def test_what_is_open_might_explain_it_only_if_the_words_fit(
    denial: Denial | None, open_one: dict[str, object], *, is_needed: bool
) -> None:
    diagnosis = diagnose(
        replace(PULL, denial=denial), facts(), checks=[check("a", OPEN, **open_one), check("b", PASSED)]
    )
    expected = (Undecided("a", "unread"),)
    assert (diagnosis.inconclusive, diagnosis.unchecked) == ((expected, ()) if is_needed else ((), expected))
    assert bool(diagnosis.note) is (not is_needed)


def test_what_is_open_is_not_needed_once_the_failure_is_explained() -> None:
    diagnosis = diagnose(PULL, facts(), checks=[check("a", OPEN), check("b", failed())])
    assert (diagnosis.inconclusive, diagnosis.unchecked) == ((), (Undecided("a", "unread"),))


def test_a_finding_that_the_words_do_not_mean_explains_nothing() -> None:
    other = check("b", failed(), policy_type=PolicyType.RESOURCE)
    diagnosis = diagnose(PULL, facts(), checks=[check("a", OPEN), other])
    assert [finding.cause for finding in diagnosis.findings] == ["b"]
    assert diagnosis.inconclusive == (Undecided("a", "unread"),)


def test_what_has_been_fixed_since_is_said_only_where_nothing_is_left() -> None:
    assert "changed since" in diagnose(PULL, facts(), checks=[check("a", PASSED)]).note
    assert diagnose(PULL, facts(), checks=[check("a", OPEN)]).note == ""
    assert diagnose(PULL, facts(), checks=[check("a", failed())]).note == ""
    assert diagnose(replace(PULL, denial=None), facts(), checks=[check("a", PASSED)]).note == ""


@pytest.mark.parametrize(
    ("symptom", "tag", "verdicts", "said"),
    [
        (Symptom.NOT_FOUND, "v1", [PASSED, NONE], "The image is there now"),
        (Symptom.PLATFORM_MISMATCH, "v1", [PASSED], "has a manifest for the node's platform now"),
        (Symptom.NOT_FOUND, "v1", [PASSED, OPEN], ""),
        (Symptom.NOT_FOUND, "v1", [PASSED, failed()], ""),
        (Symptom.NOT_FOUND, "v1", [NONE], ""),
        (Symptom.NOT_FOUND, None, [PASSED], ""),  # the repository is there, and of which image it was is not known
        (Symptom.TIMEOUT, "v1", [PASSED], ""),  # it blamed nothing, and may be on the node
        (Symptom.THROTTLED, "v1", [PASSED], ""),
    ],
)
def test_what_was_not_there_and_is_now(
    symptom: Symptom, tag: str | None, verdicts: list[Verdict], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PullFacts, "image", lambda *_: pushed("2026-03-01T12:00:01+00:00"))
    pull = replace(PULL, symptom=symptom, denial=None, tag=tag)
    every = frozenset(Symptom)
    checks = [check(f"c{at}", verdict, also_at=every, policy_type=None) for at, verdict in enumerate(verdicts)]
    note = diagnose(pull, facts(), checks=checks).note
    assert said in note
    assert bool(note) is bool(said)


@pytest.mark.parametrize("symptom", [Symptom.NOT_FOUND, Symptom.PLATFORM_MISMATCH])
@pytest.mark.parametrize(
    ("pushed_at", "observed_at"),
    [
        ("2026-03-01T11:59:59+00:00", "2026-03-01T12:00:00Z"),
        ("2026-03-01T12:00:00+00:00", "2026-03-01T12:00:00Z"),
        ("2026-03-01T12:30:00+00:00", "2026-03-01T13:00:00Z"),
        ("2026-03-01T12:00:01+00:00", None),
        (None, "2026-03-01T12:00:00Z"),
    ],
)
def test_what_was_there_before_has_not_come_since(
    symptom: Symptom, pushed_at: str | None, observed_at: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(PullFacts, "image", lambda *_: pushed(pushed_at))
    pull = replace(PULL, symptom=symptom, denial=None, tag="v1", observed_at=observed_at)
    cause = "image_not_found" if symptom is Symptom.NOT_FOUND else "image_platform_mismatch"
    diagnosis = diagnose(pull, facts(), checks=[check(cause, PASSED, also_at=frozenset(Symptom), policy_type=None)])
    assert (diagnosis.findings, diagnosis.note) == ((), "")
    (left,) = diagnosis.inconclusive
    assert left.cause == "pull_failing_unexplained"
    assert "before the pull failed" in left.reason
    assert "mirror, cache or proxy answers for 111111111111.dkr.ecr.us-east-1.amazonaws.com" in left.next


def pushed(at: str | None) -> Image:
    return Image(f"sha256:{'a' * 64}", pushed_at=datetime.fromisoformat(at) if at else None)


def test_an_image_of_awss_own_cannot_be_seen_to_be_there() -> None:
    pull = replace(PULL, symptom=Symptom.NOT_FOUND, denial=None, tag="v1", registry_account="602401143452")
    asked = check("a", NONE, resource_type="AwsEcrRepository", also_at=frozenset(Symptom))
    asked = replace(asked, permissions=("ecr:DescribeRepositories",))
    other = check("b", PASSED, also_at=frozenset(Symptom))
    assert diagnose(pull, facts(), checks=[asked, other]).note == ""


@pytest.mark.parametrize(
    ("symptom", "stage", "found"),
    [
        (Symptom.UNKNOWN, Stage.UNPACK, {"b", "c"}),
        (Symptom.UNKNOWN, Stage.LAYER, {"a", "b", "c"}),
        (Symptom.UNKNOWN, None, {"a", "b", "c"}),
        # Another symptom than `unknown` says more than its stage.
        (Symptom.TIMEOUT, Stage.UNPACK, {"a", "b", "c"}),
    ],
)
def test_an_unknown_failure_is_explained_by_what_its_stage_leaves(
    symptom: Symptom, stage: Stage | None, found: set[str]
) -> None:
    pull = replace(PULL, symptom=symptom, stage=stage, denial=None)
    before = tuple(Explains(each, 10, BEFORE_UNPACK) for each in (Symptom.UNKNOWN, Symptom.TIMEOUT))
    checks = [
        check("a", failed(), explains=before),
        check("b", failed(), explains=(Explains(Symptom.UNKNOWN, 10),)),
        # It is looked for at this symptom, and explains none.
        check("c", failed()),
    ]
    assert {each.cause for each in diagnose(pull, facts(), checks=checks).findings} == found


def test_checks_that_cannot_explain_the_symptom_are_not_run() -> None:
    def explode() -> Verdict:
        raise AssertionError("was run")

    asked = check("a", explode, also_at=frozenset({Symptom.TIMEOUT}))
    assert diagnose(PULL, facts(), checks=[asked]).passed == ()


def test_of_an_unexpected_principal_nothing_but_its_own_cause_is_claimed() -> None:
    def explode() -> Verdict:
        raise AssertionError("was run")

    checks = [check("a", explode), check("stranger", failed(), for_nodes=False, policy_type=None, explicit=None)]
    diagnosis = diagnose(STRANGER, facts(), checks=checks)
    assert [finding.cause for finding in diagnosis.findings] == ["stranger"]
    assert (diagnosis.inconclusive, diagnosis.unchecked, diagnosis.passed, diagnosis.note) == ((), (), (), "")


def test_of_a_node_nothing_is_claimed_as_of_an_unexpected_principal() -> None:
    checks = [check("a", failed()), check("stranger", failed(), for_nodes=False)]
    assert [finding.cause for finding in diagnose(PULL, facts(), checks=checks).findings] == ["a"]


def test_where_it_is_not_known_who_pulls_everything_is_open() -> None:
    checks = [check("a", failed()), check("b", PASSED), check("c", NONE), check("stranger", OPEN, for_nodes=False)]
    diagnosis = diagnose(NOBODY, facts(), checks=checks)
    assert diagnosis.findings == ()
    assert diagnosis.passed == ()
    assert [each.cause for each in diagnosis.inconclusive] == ["a", "b", "stranger"]
    assert all("does not say who was denied" in each.reason for each in diagnosis.inconclusive)


def test_a_check_that_is_late_is_open_and_the_others_count() -> None:
    release = Event()

    def hang() -> Verdict:
        release.wait(20)
        return failed()

    with note_gaps() as gaps:
        checks = [check("late", hang), check("b", failed(), policy_type=None)]
        diagnosis = diagnose(PULL, facts(lambda: 1.0), checks=checks)
    release.set()
    assert diagnosis.late
    # For whoever asked, too: an inspection is not done, and a recheck closes nothing.
    assert (gaps.out_of_time, gaps.is_incomplete) == (True, True)
    assert [finding.cause for finding in diagnosis.findings] == ["b"]
    assert diagnosis.unchecked == (Undecided("late", "time ran out before everything it needs was read"),)


def test_a_check_that_raises_goes_up() -> None:
    def explode() -> Verdict:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        diagnose(PULL, facts(), checks=[check("a", explode), check("b", PASSED)])


@pytest.mark.parametrize(
    ("verdict", "has_own", "note", "left"),
    [
        (NONE, False, "the configuration has changed since, or the pod tries again within 5 minutes", []),
        (NONE, None, "", ["pull_failing_unexplained"]),
        (NONE, True, "", ["pull_failing_unexplained"]),
        (OPEN, False, "", ["other"]),
        (failed(), False, "", []),
    ],
)
def test_a_403_of_a_pod_without_credentials_of_its_own_is_over_once_all_is_decided(
    monkeypatch: pytest.MonkeyPatch, verdict: Verdict, note: str, left: list[str], *, has_own: bool | None
) -> None:
    of_role, other = check("may", PASSED), check("other", verdict, explains=(Explains(Symptom.ACCESS_DENIED, 1),))
    monkeypatch.setattr(role_lacks_pull_permissions, "CHECK", of_role)
    pull = replace(PULL, denial=None, message="403 Forbidden", has_own_credentials=has_own)
    diagnosis = diagnose(pull, facts(), checks=[of_role, other])
    assert note in diagnosis.note
    assert bool(note) == bool(diagnosis.note)
    assert [each.cause for each in diagnosis.inconclusive] == left
