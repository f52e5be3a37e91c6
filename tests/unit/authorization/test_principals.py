"""Principal and NotPrincipal.

Sources: [eval] IAM User Guide, "Policy evaluation logic", resource-based policies within a single account; [el] "AWS
JSON policy elements: Principal"; [not] "NotPrincipal"; [bound] "Permissions boundaries for IAM entities".
"""

from __future__ import annotations

import pytest

from pull_responder.authorization.evaluation import State, Unread
from pull_responder.authorization.policy_kind import PolicyKind
from pull_responder.authorization.request import Caller
from tests.unit.authorization.statements import (
    ACCOUNT,
    OTHER_ACCOUNT,
    ROLE,
    SESSION,
    Json,
    allow,
    decide,
    deny,
    names,
    policy,
    request,
)

ROOT = f"arn:aws:iam::{ACCOUNT}:root"
USER = f"arn:aws:iam::{ACCOUNT}:user/ann"
FEDERATED = f"arn:aws:sts::{ACCOUNT}:federated-user/ann"
ROLE_WITH_PATH = f"arn:aws:iam::{ACCOUNT}:role/eks/prod/node"

NOTHING = policy(allow(Action="s3:*"), name="nothing-of-ecr")
BY_ARN = {"ArnEquals": {"aws:PrincipalArn": ROLE}}


def granted(
    principal: object, *, boundary: bool = False, session: bool = False, condition: Json | None = None
) -> tuple[PolicyKind, ...]:
    """Return who blocks if only the repository policy allows the request, and `kinds` allow something else."""
    return decide(
        request(context={"aws:PrincipalArn": ROLE}),
        resource=policy(allow(Principal=principal, Resource=None, Condition=condition)),
        boundary=(NOTHING,) if boundary else (),
        session=NOTHING if session else None,
    ).blocked_by


@pytest.mark.parametrize(
    ("principal", "alone", "with_boundary", "with_session_policy"),
    [
        # [eval] a role's ARN grants, limited by implicit denies of boundary and session policy.
        ({"AWS": ROLE}, (), ("boundary",), ("session",)),
        # [eval] the session's ARN grants, and is not limited by them.
        ({"AWS": SESSION}, (), (), ()),
        # [eval] "*" in Principal is not limited either.
        ("*", (), (), ()),
        ({"AWS": "*"}, (), (), ()),
        ({"AWS": ["arn:aws:iam::222222222222:root", "*"]}, (), (), ()),
        # [el] the account, by its root's ARN or its id, only delegates to identity policies.
        ({"AWS": ROOT}, ("identity",), ("identity", "boundary"), ("identity", "session")),
        ({"AWS": ACCOUNT}, ("identity",), ("identity", "boundary"), ("identity", "session")),
        # The strongest of several names counts.
        ({"AWS": [ACCOUNT, ROLE]}, (), ("boundary",), ("session",)),
        # Somebody else, a deleted role, a wildcard within an ARN: nobody.
        ({"AWS": OTHER_ACCOUNT}, ("identity",), ("identity", "boundary"), ("identity", "session")),
        ({"AWS": "AROAEXAMPLEEXAMPLE123"}, ("identity",), ("identity", "boundary"), ("identity", "session")),
        ({"AWS": f"arn:aws:iam::{ACCOUNT}:role/*"}, ("identity",), ("identity", "boundary"), ("identity", "session")),
        ({"AWS": SESSION + "0"}, ("identity",), ("identity", "boundary"), ("identity", "session")),
        ({"Service": "ec2.amazonaws.com"}, ("identity",), ("identity", "boundary"), ("identity", "session")),
    ],
    ids=str,
)
def test_what_a_principal_grants_within_the_account(
    principal: object, alone: tuple[str, ...], with_boundary: tuple[str, ...], with_session_policy: tuple[str, ...]
) -> None:
    assert granted(principal) == alone
    assert granted(principal, boundary=True) == with_boundary
    assert granted(principal, session=True) == with_session_policy


def test_everybody_with_a_condition_on_the_role_is_not_limited_by_the_boundary() -> None:
    """[eval] "Permissions boundaries and session policies don't limit permissions granted using the aws:PrincipalArn
    condition key with a wildcard(*) in the Principal element".
    """
    assert granted("*", boundary=True, session=True, condition=BY_ARN) == ()


@pytest.mark.parametrize("listed", [[ROLE, SESSION], [SESSION, ROLE], [ACCOUNT, ROLE, SESSION]], ids=str)
def test_the_strongest_of_several_statements_counts(listed: list[str]) -> None:
    grants = policy(*(allow(Principal={"AWS": each}, Resource=None) for each in listed))
    assert decide(request(), resource=grants, boundary=(NOTHING,), session=NOTHING).blocked_by == ()


def test_the_root_user_needs_no_policy_in_its_own_account() -> None:
    """[eval] "the AWS account root user" has all permissions there, except for what an SCP takes away."""
    root = request(principal=ROOT)
    assert decide(root).decision == "Allowed"
    assert decide(root).outcomes[PolicyKind.IDENTITY].state is State.NOT_APPLICABLE
    assert decide(root, scps=((policy(allow(), deny(Action="ecr:*")),),)).blocked_by == ("scp",)
    elsewhere = request(principal=ROOT, resource_account=OTHER_ACCOUNT)
    assert "resource" in decide(elsewhere).blocked_by


@pytest.mark.parametrize("caller", [USER, ROOT, FEDERATED, SESSION])
def test_scps_limit_every_principal_of_the_account(caller: str) -> None:
    """AWS Organizations User Guide, "SCP effects on permissions": IAM users and roles, including the root user."""
    decided = decide(request(principal=caller), identity=(policy(allow()),), scps=((NOTHING,),))
    assert decided.blocked_by == ("scp",)


def test_a_web_identity_has_no_account_and_no_identity_policies() -> None:
    """Whoever shows a token of an OIDC provider assumes a role by the role's trust policy alone."""
    provider = f"arn:aws:iam::{ACCOUNT}:oidc-provider/oidc.eks.us-east-1.amazonaws.com/id/A"
    asked = request(principal=provider, action="sts:AssumeRoleWithWebIdentity", resource=ROLE)
    trust = policy(allow(Principal={"Federated": provider}, Resource=None))
    decided = decide(asked, resource=trust, scps=((NOTHING,),))
    assert decided.decision == "Allowed"
    assert decided.outcomes[PolicyKind.SCP].state is State.NOT_APPLICABLE
    assert decide(asked, resource=policy(allow(Principal={"AWS": ROOT}, Resource=None))).blocked_by == ("resource",)


@pytest.mark.parametrize(
    "caller",
    [
        (USER, "user", ACCOUNT, None),
        (FEDERATED, "federated user", ACCOUNT, None),
        (ROOT, "root", ACCOUNT, None),
        (ROLE_WITH_PATH, "role", ACCOUNT, ROLE),
        (SESSION, "role session", ACCOUNT, ROLE),
        (f"{SESSION}/of/some/depth", "role session", ACCOUNT, ROLE),
        ("ecr.amazonaws.com", "AWS service", None, None),
        (f"arn:aws:iam::{ACCOUNT}:oidc-provider/oidc.eks/id/A", "web identity", None, None),
    ],
    ids=lambda caller: caller[1],
)
def test_the_kinds_of_principals(caller: tuple[str, str, str | None, str | None]) -> None:
    principal, kind, account, role = caller
    read = Caller.parse(principal)
    assert (read.kind, read.account, read.role) == (kind, account, role)


@pytest.mark.parametrize(
    ("caller", "principal", "blocked"),
    [
        (USER, USER, ()),  # [eval] a user's ARN is not limited by the boundary
        (USER, ROOT, ("identity", "boundary")),
        (FEDERATED, FEDERATED, ()),
        (ROOT, ROOT, ()),
    ],
)
def test_users_root_and_federated_users(caller: str, principal: str, blocked: tuple[str, ...]) -> None:
    decision = decide(
        request(principal=caller), resource=policy(allow(Principal={"AWS": principal})), boundary=(NOTHING,)
    )
    assert decision.blocked_by == blocked


def test_an_aws_service_needs_no_identity_policy() -> None:
    eks = request(principal="eks.amazonaws.com")
    assert decide(eks, resource=policy(allow(Principal={"Service": "eks.amazonaws.com"}))).decision == "Allowed"
    assert decide(eks, resource=policy(allow(Principal={"Service": "ec2.amazonaws.com"}))).blocked_by == ("resource",)


@pytest.mark.parametrize(
    ("listed", "role_arn", "expected", "unknown"),
    [
        (ROLE_WITH_PATH, ROLE_WITH_PATH, "Allowed", ()),
        (ROLE_WITH_PATH, ROLE, "ImplicitlyDenied", ()),
        (ROLE, ROLE_WITH_PATH, "ImplicitlyDenied", ()),
        (ROLE, None, "Allowed", ()),
        # The session's ARN has dropped the path.
        (ROLE_WITH_PATH, None, "Undecided", (f"the path of {ROLE}",)),
        (f"arn:aws:iam::{ACCOUNT}:role/eks/other", None, "ImplicitlyDenied", ()),
    ],
)
def test_the_path_of_a_role(listed: str, role_arn: str | None, expected: str, unknown: tuple[str, ...]) -> None:
    decision = decide(request(role_arn=role_arn), resource=policy(allow(Principal={"AWS": listed})))
    assert (decision.decision, names(decision.unknown)) == (expected, unknown)


def test_a_role_stands_for_a_session_of_unknown_name_unless_taken_literally() -> None:
    grant = policy(allow(Principal={"AWS": SESSION}))
    some_session = decide(request(principal=ROLE), resource=grant)
    assert (some_session.decision, names(some_session.unknown)) == ("Undecided", (f"the session of {ROLE}",))
    assert decide(request(principal=ROLE, literal=True), resource=grant).decision == "ImplicitlyDenied"


@pytest.mark.parametrize(
    ("listed", "known", "literally"),
    [
        # [not] to leave a session out, list its account, its role and the session.
        ([ROOT, ROLE, SESSION], "Allowed", "Allowed"),
        ([ACCOUNT, ROLE, SESSION], "Allowed", "Allowed"),
        (["*"], "Allowed", "Allowed"),
        # [not] otherwise the policy "might" deny.
        ([ROLE], "Undecided", "Allowed"),
        ([SESSION, ROLE], "Undecided", "Allowed"),
        ([ROOT], "Undecided", "Allowed"),
        ([f"arn:aws:iam::{ACCOUNT}:role/other", OTHER_ACCOUNT], "ExplicitlyDenied", "ExplicitlyDenied"),
    ],
    ids=str,
)
def test_not_principal_denies_all_others(listed: list[str], known: str, literally: str) -> None:
    policies: Json = {
        "identity": (policy(allow()),),
        "resource": policy(deny(NotPrincipal={"AWS": listed}, Resource=None)),
    }
    assert decide(request(), **policies).decision == known
    assert decide(request(literal=True), **policies).decision == literally


def test_not_principal_with_deny_always_denies_who_has_a_boundary() -> None:
    """[bound] "regardless of the values specified in the NotPrincipal element"."""
    shut = policy(deny(NotPrincipal={"AWS": [ROOT, ROLE, SESSION]}, Resource=None))
    everything = (policy(allow()),)
    decision = decide(request(), identity=everything, boundary=everything, resource=shut)
    assert (decision.decision, decision.blocked_by) == ("ExplicitlyDenied", ("resource",))


def test_a_boundary_that_was_not_read_leaves_a_not_principal_open() -> None:
    """[bound] it denies whoever has one."""
    shut = policy(deny(NotPrincipal={"AWS": [ROOT, ROLE, SESSION]}, Resource=None))
    decision = decide(request(), identity=(policy(allow()),), boundary=Unread("not allowed"), resource=shut)
    resource = decision.outcomes[PolicyKind.RESOURCE]
    assert (resource.state, names(resource.unknown)) == (State.UNDECIDED, ("the caller's permissions boundary",))


def test_the_policy_of_an_endpoint_is_a_resource_based_policy_to_not_principal() -> None:
    """[not] it "is supported in resource-based policies for some AWS services, including VPC endpoints"."""
    shut = policy(allow(Principal="*"), deny(NotPrincipal={"AWS": [ROOT, ROLE, SESSION]}))
    everything = (policy(allow()),)
    assert decide(request(), identity=everything, endpoints=(shut,)).decision == "Allowed"
    assert decide(request(), identity=everything, boundary=everything, endpoints=(shut,)).blocked_by == ("endpoint",)


def test_not_principal_everybody_denies_nobody() -> None:
    shut = policy(deny(NotPrincipal="*", Resource=None))
    assert decide(request(), identity=(policy(allow()),), resource=shut).decision == "Allowed"


def test_not_principal_with_allow_grants_nothing_to_whom_it_lists() -> None:
    """[bound] the rule about boundaries applies only to Deny."""
    grant = policy(allow(NotPrincipal={"AWS": [ROOT, ROLE, SESSION]}, Resource=None))
    decision = decide(request(), boundary=(policy(allow()),), resource=grant)
    assert decision.blocked_by == ("identity",)


@pytest.mark.parametrize(
    ("principal", "blocked"),
    [("*", ()), ({"AWS": ROLE}, ()), ({"AWS": ACCOUNT}, ()), ({"AWS": OTHER_ACCOUNT}, ("endpoint",))],
    ids=str,
)
def test_the_principal_of_an_endpoint_policy_counts(principal: object, blocked: tuple[str, ...]) -> None:
    decision = decide(request(), identity=(policy(allow()),), endpoints=(policy(allow(Principal=principal)),))
    assert decision.blocked_by == blocked
