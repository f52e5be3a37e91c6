"""Properties of the evaluation that hold for every policy, tested on random policies."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pull_responder.authorization.evaluation import Answer, Policies, evaluate
from pull_responder.authorization.policy import Policy, parse_policy
from pull_responder.authorization.request import UNKNOWN, ContextValue, Request
from tests.unit.authorization.statements import ACCOUNT, ACTION, OTHER_ACCOUNT, REPOSITORY, ROLE, SESSION, Json, request

KEYS = ("aws:SourceVpc", "aws:PrincipalTag/team", "aws:SecureTransport")
VALUES = ("a", "b", "true")
OPERATORS = (
    "StringEquals",
    "StringNotEquals",
    "StringLike",
    "StringNotLikeIfExists",
    "StringEqualsIfExists",
    "ForAllValues:StringEquals",
    "ForAnyValue:StringNotEquals",
)

conditions: st.SearchStrategy[Json] = st.one_of(
    st.just({}),
    st.dictionaries(
        st.sampled_from(OPERATORS),
        st.dictionaries(
            st.sampled_from(KEYS),
            st.lists(st.sampled_from((*VALUES, "${aws:PrincipalTag/team}", "${aws:SourceVpc, 'a'}")), min_size=1),
            min_size=1,
        ),
        max_size=2,
    ),
    st.fixed_dictionaries({"Null": st.dictionaries(st.sampled_from(KEYS), st.sampled_from(("true", "false")))}),
)
contexts = st.dictionaries(st.sampled_from(KEYS), st.sampled_from((*VALUES, ("a", "b"))))


def statements(effects: st.SearchStrategy[str], *, principal: bool) -> st.SearchStrategy[Json]:
    elements: dict[str, st.SearchStrategy[Any]] = {
        "Effect": effects,
        "Action": st.sampled_from(("*", "ecr:*", ACTION, "s3:*")),
        "Resource": st.sampled_from(("*", REPOSITORY, "arn:aws:s3:::x", "arn:aws:ecr:*:*:repository/${aws:SourceVpc}")),
        "Condition": conditions,
    }
    if principal:
        listed = ("*", {"AWS": ROLE}, {"AWS": SESSION}, {"AWS": ACCOUNT}, {"AWS": OTHER_ACCOUNT})
        elements["Principal"] = st.sampled_from(listed)
    return st.fixed_dictionaries(elements)


EITHER = st.sampled_from(("Allow", "Allow", "Deny"))
DENY = st.just("Deny")


def parsed(documents: list[Json]) -> Policy:
    return parse_policy({"Version": "2012-10-17", "Statement": documents}, name="random")


def documents(effects: st.SearchStrategy[str] = EITHER, *, principal: bool = False) -> st.SearchStrategy[list[Json]]:
    return st.lists(statements(effects, principal=principal), min_size=1, max_size=4)


@st.composite
def estates(draw: st.DrawFn) -> dict[str, list[Json] | None]:
    """Return the documents of every kind of policy; None for a kind without a policy."""
    bare = st.one_of(st.none(), documents())
    with_principal = st.one_of(st.none(), documents(principal=True))
    return {
        "identity": draw(documents()),
        "boundary": draw(bare),
        "scps": draw(bare),
        "rcps": draw(with_principal),
        "session": draw(bare),
        "resource": draw(with_principal),
        "registry": draw(with_principal),
        "endpoints": draw(with_principal),
    }


def policies(estate: dict[str, list[Json] | None]) -> Policies:
    kinds: dict[str, Any] = {}
    for kind, statements_of in estate.items():
        if statements_of is None:
            continue
        one = parsed(statements_of)
        kinds[kind] = one if kind in ("session", "resource", "registry") else (one,)
        if kind in ("scps", "rcps"):
            kinds[kind] = ((one,),)
    return Policies(**kinds)


def asked(context: dict[str, ContextValue], *, same_account: bool) -> Request:
    return request(context=context, resource_account=ACCOUNT if same_account else OTHER_ACCOUNT)


LAYERS = ("identity", "boundary", "scps", "rcps", "session", "resource", "registry", "endpoints")


@given(estates(), contexts, st.booleans(), st.sampled_from(LAYERS), st.data())
def test_adding_a_deny_never_allows_more(
    estate: dict[str, list[Json] | None],
    context: dict[str, ContextValue],
    same_account: bool,  # noqa: FBT001 -- hypothesis passes by position
    kind: str,
    data: st.DataObject,
) -> None:
    question = asked(context, same_account=same_account)
    before = evaluate(question, policies(estate))
    existing = estate[kind]
    if existing is None:
        return
    more = data.draw(statements(DENY, principal=kind in ("rcps", "resource", "registry", "endpoints")))
    after = evaluate(question, policies({**estate, kind: [*existing, more]}))
    if before.decision is not Answer.ALLOWED:
        assert after.decision is not Answer.ALLOWED
    assert set(before.blocked_by) <= set(after.blocked_by)


@given(estates(), contexts, st.booleans(), st.data())
def test_the_order_of_statements_never_matters(
    estate: dict[str, list[Json] | None],
    context: dict[str, ContextValue],
    same_account: bool,  # noqa: FBT001 -- hypothesis passes by position
    data: st.DataObject,
) -> None:
    shuffled = {kind: data.draw(st.permutations(each)) if each else each for kind, each in estate.items()}
    question = asked(context, same_account=same_account)
    before, after = evaluate(question, policies(estate)), evaluate(question, policies(shuffled))
    assert (before.decision, before.blocked_by) == (after.decision, after.blocked_by)


@given(estates(), contexts, st.booleans(), st.sampled_from(KEYS))
def test_no_value_of_an_unknown_key_contradicts_the_answer(
    estate: dict[str, list[Json] | None],
    context: dict[str, ContextValue],
    same_account: bool,  # noqa: FBT001 -- hypothesis passes by position
    key: str,
) -> None:
    """If the evaluator decides without a key, it decides the same for each value of the key."""
    theirs = policies(estate)
    blind = evaluate(asked({**context, key: UNKNOWN}, same_account=same_account), theirs)
    values: list[ContextValue] = [(), *VALUES, "c", ("a", "b")]
    for value in values:
        seeing = evaluate(asked({**context, key: value}, same_account=same_account), theirs)
        assert set(blind.blocked_by) <= set(seeing.blocked_by)
        if blind.decision is Answer.ALLOWED:
            assert seeing.decision is Answer.ALLOWED
        if blind.decision in (Answer.IMPLICITLY_DENIED, Answer.EXPLICITLY_DENIED):
            assert seeing.decision is not Answer.ALLOWED
        if blind.decision is Answer.EXPLICITLY_DENIED:
            assert seeing.decision is Answer.EXPLICITLY_DENIED


@given(estates(), contexts, st.booleans())
def test_blocked_by_agrees_with_the_decision(
    estate: dict[str, list[Json] | None],
    context: dict[str, ContextValue],
    same_account: bool,  # noqa: FBT001 -- hypothesis passes by position
) -> None:
    decided = evaluate(asked(context, same_account=same_account), policies(estate))
    assert decided.decision is not Answer.UNDECIDED
    assert (decided.decision is Answer.ALLOWED) == (decided.blocked_by == ())
