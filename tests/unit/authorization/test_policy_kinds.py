"""How the kinds of policy combine into one decision.

Sources: [eval] IAM User Guide, "Policy evaluation logic"; [cross] "Cross-account policy evaluation logic"; [scp] AWS
Organizations User Guide, "SCP evaluation"; [rcp] "Resource control policies"; [reg] Amazon ECR User Guide, "Private
registry permissions".
"""

from __future__ import annotations

import pytest

from pull_responder.authorization.evaluation import Policies, State, Unread, evaluate
from pull_responder.authorization.policy_kind import PolicyKind
from pull_responder.authorization.request import UNKNOWN, ContextValue
from pull_responder.authorization.statement import Effect
from tests.unit.authorization.statements import (
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

ALL = policy(allow(), name="all")
ALL_TO_ALL = policy(allow(Principal="*"), name="all-to-all")
ECR = policy(allow(Action="ecr:*"), name="ecr")
S3 = policy(allow(Action="s3:*"), name="s3")
NOT_ECR = policy(allow(), deny(Action="ecr:*", Sid="NoEcr"), name="not-ecr")
TO_ROLE = policy(allow(Principal={"AWS": ROLE}, Resource=None), name="to-role")
TO_SESSION = policy(allow(Principal={"AWS": SESSION}, Resource=None), name="to-session")
DENY_TO_ALL = policy(deny(Principal="*", Resource=None), name="deny-to-all")

ROWS: list[tuple[str, bool, Json, str, tuple[str, ...]]] = [
    # what, same account, policies, decision, blocked by
    ("[eval] nothing grants", True, {}, "ImplicitlyDenied", ("identity",)),
    ("[eval] the identity policy grants", True, {"identity": (ECR,)}, "Allowed", ()),
    ("[eval] one of several identity policies grants", True, {"identity": (S3, ECR)}, "Allowed", ()),
    ("[eval] the repository policy grants", True, {"resource": TO_ROLE}, "Allowed", ()),
    ("[eval] the registry policy grants", True, {"registry": ALL_TO_ALL}, "Allowed", ()),
    (
        "[eval] boundary and identity must both allow",
        True,
        {"identity": (ECR,), "boundary": (S3,)},
        "ImplicitlyDenied",
        ("boundary",),
    ),
    ("[eval] boundary and identity allow", True, {"identity": (ECR,), "boundary": (ALL,)}, "Allowed", ()),
    ("[eval] a boundary grants nothing", True, {"boundary": (ALL,)}, "ImplicitlyDenied", ("identity",)),
    (
        "[eval] session and identity must both allow",
        True,
        {"identity": (ECR,), "session": S3},
        "ImplicitlyDenied",
        ("session",),
    ),
    ("[eval] a session policy grants nothing", True, {"session": ALL}, "ImplicitlyDenied", ("identity",)),
    (
        "[eval] an explicit deny anywhere",
        True,
        {"identity": (ECR,), "resource": DENY_TO_ALL},
        "ExplicitlyDenied",
        ("resource",),
    ),
    (
        "[eval] a direct grant does not beat a boundary's deny",
        True,
        {"resource": TO_SESSION, "boundary": (NOT_ECR,)},
        "ExplicitlyDenied",
        ("boundary",),
    ),
    (
        "[eval] nor an identity policy's",
        True,
        {"resource": TO_SESSION, "identity": (NOT_ECR,)},
        "ExplicitlyDenied",
        ("identity",),
    ),
    (
        "[eval] nor a session policy's",
        True,
        {"resource": TO_SESSION, "session": NOT_ECR},
        "ExplicitlyDenied",
        ("session",),
    ),
    ("[scp] every level allows", True, {"identity": (ECR,), "scps": ((ALL,), (ECR,), (S3, ALL))}, "Allowed", ()),
    (
        "[scp] one level lacks an allow",
        True,
        {"identity": (ECR,), "scps": ((ALL,), (S3,), (ALL,))},
        "ImplicitlyDenied",
        ("scp",),
    ),
    ("[scp] one level allows nothing", True, {"identity": (ECR,), "scps": ((),)}, "ImplicitlyDenied", ("scp",)),
    (
        "[scp] one level denies",
        True,
        {"identity": (ECR,), "scps": ((ALL,), (ALL, NOT_ECR), (ALL,))},
        "ExplicitlyDenied",
        ("scp",),
    ),
    ("[scp] grants nothing", True, {"scps": ((ALL,),)}, "ImplicitlyDenied", ("identity",)),
    (
        "[scp] limits a direct grant, too",
        True,
        {"resource": TO_SESSION, "scps": ((S3,),)},
        "ImplicitlyDenied",
        ("scp",),
    ),
    ("[rcp] every level allows", True, {"identity": (ECR,), "rcps": ((ALL_TO_ALL,), (ALL_TO_ALL,))}, "Allowed", ()),
    (
        "[rcp] one level lacks an allow",
        True,
        {"identity": (ECR,), "rcps": ((ALL_TO_ALL,), ())},
        "ImplicitlyDenied",
        ("rcp",),
    ),
    (
        "[rcp] one level denies",
        True,
        {"identity": (ECR,), "rcps": ((ALL_TO_ALL, DENY_TO_ALL),)},
        "ExplicitlyDenied",
        ("rcp",),
    ),
    (
        "[reg] the registry policy denies",
        True,
        {"identity": (ECR,), "registry": DENY_TO_ALL},
        "ExplicitlyDenied",
        ("registry",),
    ),
    (
        "[reg] scope V1 does not count on pulls",
        True,
        {"identity": (ECR,), "registry": DENY_TO_ALL, "registry_scope": "V1"},
        "Allowed",
        (),
    ),
    (
        "the endpoint's policy does not allow",
        True,
        {"identity": (ECR,), "endpoints": (policy(allow(Principal="*", Action="s3:*")),)},
        "ImplicitlyDenied",
        ("endpoint",),
    ),
    (
        "the endpoint's policy denies",
        True,
        {"identity": (ECR,), "endpoints": (ALL_TO_ALL, DENY_TO_ALL)},
        "ExplicitlyDenied",
        ("endpoint",),
    ),
    ("[cross] nothing grants", False, {}, "ImplicitlyDenied", ("identity", "resource")),
    ("[cross] identity alone", False, {"identity": (ECR,)}, "ImplicitlyDenied", ("resource",)),
    ("[cross] resource alone", False, {"resource": TO_ROLE}, "ImplicitlyDenied", ("identity",)),
    ("[cross] both sides", False, {"identity": (ECR,), "resource": TO_ROLE}, "Allowed", ()),
    (
        "[cross] the account delegated to",
        False,
        {"identity": (ECR,), "resource": policy(allow(Principal={"AWS": "111111111111"}))},
        "Allowed",
        (),
    ),
    (
        "[cross] the registry policy is a resource policy",
        False,
        {"identity": (ECR,), "registry": ALL_TO_ALL},
        "Allowed",
        (),
    ),
    (
        "[cross] but not in scope V1",
        False,
        {"identity": (ECR,), "registry": ALL_TO_ALL, "registry_scope": "V1"},
        "ImplicitlyDenied",
        ("resource",),
    ),
    (
        "[cross] boundary limits also a grant to the session",
        False,
        {"identity": (ECR,), "resource": TO_SESSION, "boundary": (S3,)},
        "ImplicitlyDenied",
        ("boundary",),
    ),
    (
        "[cross] the repository policy denies",
        False,
        {"identity": (ECR,), "resource": policy(allow(Principal="*"), deny(Principal="*"))},
        "ExplicitlyDenied",
        ("resource",),
    ),
    (
        "all that would stop it, in order",
        False,
        {
            "endpoints": (DENY_TO_ALL,),
            "registry": DENY_TO_ALL,
            "session": S3,
            "rcps": ((),),
            "scps": ((S3,),),
            "boundary": (S3,),
            "identity": (NOT_ECR,),
        },
        "ExplicitlyDenied",
        ("identity", "boundary", "scp", "rcp", "session", "resource", "registry", "endpoint"),
    ),
]


@pytest.mark.parametrize(
    ("same_account", "policies", "decision", "blocked"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS]
)
def test_decision(*, same_account: bool, policies: Json, decision: str, blocked: tuple[str, ...]) -> None:
    asked = request() if same_account else request(resource_account=OTHER_ACCOUNT)
    decided = decide(asked, **policies)
    assert (decided.decision, decided.blocked_by) == (decision, blocked)


@pytest.mark.parametrize("action", ["ecr:ReplicateImage", "ecr:BatchImportUpstreamImage", "ecr:CreateRepository"])
def test_registry_scope_v1_counts_for_three_actions(action: str) -> None:
    """[reg] in either scope the registry policy can allow the two actions of the pull through cache."""
    assert decide(request(action=action), registry=ALL_TO_ALL, registry_scope="V1").decision == "Allowed"


def test_the_state_of_a_kind_of_policy_reads_as_a_sentence() -> None:
    assert [f"The policy {state}." for state in State] == [
        "The policy does not stop it.",
        "The policy does not allow it.",
        "The policy denies it.",
        "The policy may stop it.",
        "The policy does not apply.",
    ]


def test_the_registry_policy_applies_only_to_ecr_actions() -> None:
    decided = decide(request(action="s3:GetObject"), identity=(ALL,), registry=DENY_TO_ALL)
    assert decided.outcomes[PolicyKind.REGISTRY].state is State.NOT_APPLICABLE


SERVICE_LINKED = "arn:aws:iam::111111111111:role/aws-service-role/eks.amazonaws.com/AWSServiceRoleForAmazonEKS"
ITS_SESSION = "arn:aws:sts::111111111111:assumed-role/AWSServiceRoleForAmazonEKS/EKS"


def test_service_linked_roles_are_exempt_from_scps_and_rcps() -> None:
    """[scp] [rcp] both pages list the entities that the policies do not restrict."""
    control: Json = {"identity": (ALL,), "scps": ((NOT_ECR,),), "rcps": ((DENY_TO_ALL,),)}
    assert decide(request(principal=SERVICE_LINKED), **control).decision == "Allowed"
    assert decide(request(principal=ITS_SESSION, role_arn=SERVICE_LINKED), **control).decision == "Allowed"
    look_alike = "arn:aws:iam::111111111111:role/AWSServiceRoleForAmazonEKS"
    assert decide(request(principal=ITS_SESSION, role_arn=look_alike), **control).blocked_by == ("scp", "rcp")
    hangs = decide(request(principal=ITS_SESSION), **control)
    assert (hangs.decision, names(hangs.unknown)) == ("Undecided", (f"whether {look_alike} is a service-linked role",))


def test_outcome_of_each_kind_of_policy() -> None:
    decided = decide(request(), resource=TO_ROLE, boundary=(ECR,), scps=((ALL,), (S3,)))
    states = {kind: outcome.state for kind, outcome in decided.outcomes.items()}
    assert list(states) == list(PolicyKind)
    assert states == {
        PolicyKind.IDENTITY: State.OPEN,
        PolicyKind.BOUNDARY: State.OPEN,
        PolicyKind.SCP: State.BLOCKS_IMPLICITLY,
        PolicyKind.RCP: State.NOT_APPLICABLE,
        PolicyKind.SESSION: State.NOT_APPLICABLE,
        PolicyKind.RESOURCE: State.OPEN,
        PolicyKind.REGISTRY: State.NOT_APPLICABLE,
        PolicyKind.ENDPOINT: State.NOT_APPLICABLE,
    }
    assert decided.outcomes[PolicyKind.SCP].level == 1
    assert decided.outcomes[PolicyKind.RESOURCE].policy == TO_ROLE
    assert decided.outcomes[PolicyKind.IDENTITY].policy is None
    of_none = decided.outcomes[PolicyKind.ENDPOINT]
    assert (of_none.policy, of_none.statement, of_none.level, of_none.nearest) == (None, None, None, None)


def test_an_allow_that_does_not_match_is_not_named() -> None:
    outcome = decide(request(), identity=(S3,), resource=TO_SESSION).outcomes[PolicyKind.IDENTITY]
    assert (outcome.state, outcome.policy, outcome.statement) == (State.OPEN, None, None)


def test_the_first_of_several_allows_is_named() -> None:
    first, second = policy(allow(Sid="One"), allow(Sid="Two"), name="first"), policy(allow(), name="second")
    outcome = decide(request(), identity=(first, second)).outcomes[PolicyKind.IDENTITY]
    assert (outcome.policy, outcome.statement and outcome.statement.sid) == (first, "One")


def test_the_repository_policy_is_named_before_that_of_the_registry() -> None:
    maybe = policy(allow(Principal="*", Condition={"StringEquals": {"aws:SourceVpc": "v"}}), name="maybe")
    context: dict[str, ContextValue] = {"aws:SourceVpc": UNKNOWN}
    for registry in (ALL_TO_ALL, maybe):
        other = request(resource_account=OTHER_ACCOUNT, context=context)
        resource = policy(allow(Principal="*", Resource=None), name="of the repository")
        decided = decide(other, identity=(ALL,), resource=resource, registry=registry)
        outcome = decided.outcomes[PolicyKind.RESOURCE]
        assert (decided.decision, outcome.policy) == ("Allowed", resource)
    of_registry = decide(other, identity=(ALL,), resource=S3, registry=ALL_TO_ALL).outcomes[PolicyKind.RESOURCE]
    assert of_registry.policy == ALL_TO_ALL


IN_VPC = {"StringEquals": {"aws:SourceVpc": "v"}}
MAYBE = policy(allow(Condition=IN_VPC), name="maybe")


@pytest.mark.parametrize(
    ("scps", "state", "level"),
    [
        (((ALL,), (NOT_ECR,), (ALL,)), State.BLOCKS_EXPLICITLY, 1),
        (((ALL,), (S3,), (ALL,)), State.BLOCKS_IMPLICITLY, 1),
        (((ALL,), (MAYBE,), (ALL,)), State.UNDECIDED, 1),
        (((MAYBE,), (S3,), (NOT_ECR,)), State.BLOCKS_EXPLICITLY, 2),
        (((MAYBE,), (ALL,), (S3,)), State.BLOCKS_IMPLICITLY, 2),
        (((ALL,), (ALL,)), State.OPEN, None),
    ],
)
def test_the_level_that_stops_the_request_is_told(scps: tuple[object, ...], state: State, level: int | None) -> None:
    decided = decide(request(context={"aws:SourceVpc": UNKNOWN}), identity=(ALL,), scps=scps)
    outcome = decided.outcomes[PolicyKind.SCP]
    assert (outcome.state, outcome.level) == (state, level)
    assert names(outcome.unknown) == (("aws:SourceVpc",) if state is State.UNDECIDED else ())


def test_only_what_was_asked_for_is_named() -> None:
    """Whether an Allow lacks does not hang on the keys of a Deny, nor the other way round."""
    keys: dict[str, ContextValue] = {"aws:SourceVpc": UNKNOWN, "aws:SourceVpce": UNKNOWN, "aws:SourceIp": UNKNOWN}
    both = policy(
        deny(Condition={"StringEquals": {"aws:SourceVpce": "e"}}),
        allow(Condition=IN_VPC),
        # Surely about something else, whatever the key.
        allow(Action="ecr:*", Resource="arn:aws:s3:::b", Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}),
        allow(Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}, "Bool": {"aws:SecureTransport": "true"}}),
    )
    for effect, key in ((Effect.ALLOW, "aws:SourceVpc"), (Effect.DENY, "aws:SourceVpce")):
        decided = evaluate(request(context=keys), Policies(identity=(both,)), only=effect)
        assert (decided.decision, names(decided.unknown)) == ("Undecided", (key,))


def test_a_deny_stands_whatever_a_later_policy_may_deny() -> None:
    maybe = policy(allow(), deny(Condition=IN_VPC))
    decided = decide(request(context={"aws:SourceVpc": UNKNOWN}), identity=(NOT_ECR, maybe))
    outcome = decided.outcomes[PolicyKind.IDENTITY]
    assert (decided.decision, outcome.policy, outcome.unknown) == ("ExplicitlyDenied", NOT_ECR, ())


def test_two_outcomes_are_the_same_if_they_say_the_same() -> None:
    """They are, whatever policies lack the Allow of whichever request."""
    push = request(action="ecr:PutImage")
    lacks = {
        decide(asked, identity=policies).outcomes[PolicyKind.IDENTITY]
        for asked, policies in ((request(), (S3,)), (request(), ()), (push, (S3,)))
    }
    assert len(lacks) == 1
    assert lacks != {decide(request(), identity=(ECR,)).outcomes[PolicyKind.IDENTITY]}


UNREAD = Unread("organizations:DescribePolicy was denied")
UNREAD_ROWS: list[tuple[str, bool, Json, str, tuple[str, ...], bool]] = [
    # what, same account, policies, decision, blocked by, depends on an unread policy
    ("it may deny", True, {"identity": (ECR,), "scps": UNREAD}, "Undecided", (), True),
    (
        "another kind of policy surely stops it",
        True,
        {"identity": (S3,), "scps": UNREAD},
        "ImplicitlyDenied",
        ("identity",),
        True,
    ),
    (
        "another kind of policy surely denies it",
        True,
        {"identity": (NOT_ECR,), "scps": UNREAD},
        "ExplicitlyDenied",
        ("identity",),
        True,
    ),
    ("identity not read", True, {"identity": UNREAD}, "Undecided", (), True),
    (
        "identity not read may still deny what the repository grants",
        True,
        {"identity": UNREAD, "resource": TO_SESSION},
        "Undecided",
        (),
        True,
    ),
    (
        "the repository policy may grant what identity lacks",
        True,
        {"identity": (S3,), "resource": UNREAD},
        "Undecided",
        (),
        True,
    ),
    (
        "or what the boundary lacks",
        True,
        {"identity": (ECR,), "boundary": (S3,), "resource": UNREAD},
        "Undecided",
        (),
        True,
    ),
    ("the repository policy may deny", True, {"identity": (ECR,), "resource": UNREAD}, "Undecided", (), True),
    ("across accounts it may lack a grant", False, {"identity": (ECR,), "resource": UNREAD}, "Undecided", (), True),
    (
        "across accounts it cannot help identity",
        False,
        {"identity": (S3,), "resource": UNREAD},
        "ImplicitlyDenied",
        ("identity",),
        True,
    ),
    ("the registry policy may grant", False, {"identity": (ECR,), "registry": UNREAD}, "Undecided", (), True),
    ("session not read", True, {"identity": (ECR,), "session": UNREAD}, "Undecided", (), True),
    ("endpoint not read", True, {"identity": (ECR,), "endpoints": UNREAD}, "Undecided", (), True),
    (
        "a registry policy of scope V1 need not be read",
        True,
        {"identity": (ECR,), "registry": UNREAD, "registry_scope": "V1"},
        "Allowed",
        (),
        False,
    ),
]


@pytest.mark.parametrize(
    ("same_account", "policies", "decision", "blocked", "hangs"),
    [row[1:] for row in UNREAD_ROWS],
    ids=[row[0] for row in UNREAD_ROWS],
)
def test_policies_that_could_not_be_read(
    *, same_account: bool, policies: Json, decision: str, blocked: tuple[str, ...], hangs: bool
) -> None:
    asked = request() if same_account else request(resource_account=OTHER_ACCOUNT)
    decided = decide(asked, **policies)
    assert (decided.decision, decided.blocked_by, UNREAD.reason in names(decided.unknown)) == (decision, blocked, hangs)


PARTLY_ROWS: list[tuple[str, Json, Effect | None, str, tuple[str, ...]]] = [
    # what, policies, only statements of, decision, blocked by
    ("a deny that was read", {"identity": (UNREAD, NOT_ECR)}, None, "ExplicitlyDenied", ("identity",)),
    ("an allow that was read", {"identity": (ECR, UNREAD)}, None, "Undecided", ()),
    ("whether an allow lacks", {"identity": (ECR, UNREAD)}, Effect.ALLOW, "Allowed", ()),
    ("whether an allow lacks, none read", {"identity": (S3, UNREAD)}, Effect.ALLOW, "Undecided", ()),
    ("whether anything denies", {"identity": (ECR, UNREAD)}, Effect.DENY, "Undecided", ()),
    ("denied by what was read", {"identity": (NOT_ECR, UNREAD)}, Effect.DENY, "ExplicitlyDenied", ("identity",)),
    ("a boundary of which one was not read", {"identity": (ECR,), "boundary": (UNREAD,)}, None, "Undecided", ()),
    ("a level that denies", {"identity": (ECR,), "scps": ((UNREAD,), (NOT_ECR,))}, None, "ExplicitlyDenied", ("scp",)),
    ("a level that lacks", {"identity": (ECR,), "scps": ((UNREAD,), (S3,))}, None, "ImplicitlyDenied", ("scp",)),
    ("a level that may allow", {"identity": (ECR,), "scps": ((ALL,), (S3, UNREAD))}, None, "Undecided", ()),
    ("a level that allows", {"identity": (ECR,), "scps": ((ALL,), (ALL, UNREAD))}, Effect.ALLOW, "Allowed", ()),
    ("allowed all the same", {"identity": UNREAD, "resource": TO_SESSION}, Effect.ALLOW, "Allowed", ()),
    ("only denies, none", {"identity": (S3,), "boundary": (S3,), "scps": ((S3,),)}, Effect.DENY, "Allowed", ()),
    ("only allows", {"identity": (NOT_ECR,), "resource": DENY_TO_ALL}, Effect.ALLOW, "Allowed", ()),
]


@pytest.mark.parametrize(
    ("policies", "effect", "decision", "blocked"),
    [row[1:] for row in PARTLY_ROWS],
    ids=[row[0] for row in PARTLY_ROWS],
)
def test_readable_policies_count_beside_unread_ones(
    policies: Json, effect: Effect | None, decision: str, blocked: tuple[str, ...]
) -> None:
    decided = evaluate(request(), Policies(**policies), only=effect)
    assert (decided.decision, decided.blocked_by) == (decision, blocked)
    assert (UNREAD.reason in names(decided.unknown)) is (decision == "Undecided")
