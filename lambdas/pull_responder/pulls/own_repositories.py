"""Which of the account's own repositories nodes are asked about before a pod fails.

Nobody says which repositories a cluster is meant to pull from, and a role may be kept from some on purpose, or from all
where it pulls from another account's registry. So the policies decide what is asked: one repository for each way in
which they decide, of those that they let the role pull from. A refusal is asked about, and reported, only where the
role's own policies let it pull from no registry but those that AWS owns. No manifest is read for it, and nothing that a
pull through cache would fetch. See docs/adr/0038-kept-from-its-own-registry.md.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pull_responder.authorization.evaluation import State
from pull_responder.facts.cache_rules import rule_for
from pull_responder.model.unread import Unread
from pull_responder.pulls.actions import LAYERS, MANIFEST
from pull_responder.pulls.authorization import pull_authorization

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pull_responder.model.pull import PullFailure
    from pull_responder.pulls.pull_facts import PullFacts

# Each takes a read or two; each that is asked about a whole diagnosis.
_MOST_LOOKED_AT: Final = 12
_MOST_ASKED: Final = 3
_MOST_NAMED: Final = 5
_ACCOUNT_OF_ARN: Final = 4
_SURE: Final = (State.BLOCKS_IMPLICITLY, State.BLOCKS_EXPLICITLY)

# Which action which kind of policy stops, or may, and how.
_Decision = tuple[tuple[str, str, State], ...]


@dataclass(frozen=True, slots=True)
class OwnRepositories:
    """The names of those that are asked about, and a sentence on those that are not, empty where there are none."""

    asked: tuple[str, ...]
    not_asked: str = ""


NO_REPOSITORIES: Final = OwnRepositories(())


def own_repositories(pull: PullFailure, facts: PullFacts) -> OwnRepositories:
    """Return the repositories to ask about in the registry of `pull`: the same ones as long as nothing changes."""
    account, region = pull.registry_account or "", pull.region
    facts.read_ahead([lambda: facts.repository_names(account, region), lambda: facts.cache_rules(account, region)])
    found, rules = facts.repository_names(account, region), facts.cache_rules(account, region)
    if isinstance(found, Unread):
        return OwnRepositories((), f"No repository of account {account} was checked: {found.reason}.")
    if isinstance(rules, Unread):
        return OwnRepositories((), f"No repository of account {account} was checked: {rules.reason}.")
    names = [name for name in found if rule_for(name, rules) is None]
    looked_at = _spread(names)
    decisions = facts.side_by_side(lambda name: _decision(replace(pull, repository=name), facts), looked_at)
    by_decision: dict[_Decision, list[str]] = {}
    for name, decision in zip(looked_at, decisions, strict=True):
        by_decision.setdefault(decision, []).append(name)
    open_to = {decision: alike for decision, alike in by_decision.items() if not _refuses(decision)}
    is_meant = bool(open_to) or _pulls_elsewhere(pull, facts)
    asked = tuple(alike[0] for alike in (open_to if is_meant else by_decision).values())[:_MOST_ASKED]
    refused = [name for decision, alike in by_decision.items() if is_meant and _refuses(decision) for name in alike]
    return OwnRepositories(asked, _left_out(found, names, looked_at, refused))


def _spread(names: Sequence[str]) -> list[str]:
    """Return some of the names: of each namespace the first, then of each the second, and so on."""
    order: dict[str, int] = {}
    turns = []
    for name in sorted(names):
        namespace = name.rpartition("/")[0]
        order[namespace] = turn = order.get(namespace, 0) + 1
        turns.append((turn, name))
    return [name for _, name in sorted(turns)[:_MOST_LOOKED_AT]]


def _decision(pull: PullFailure, facts: PullFacts) -> _Decision:
    """Return what the policies do to each action of the pull; empty where they stop none, or cannot be asked."""
    authorization = pull_authorization(pull, facts)
    if isinstance(authorization, Unread):
        return ()
    stopped = {(each.action, str(each.outcome.kind), each.outcome.state) for each in authorization.stopped()}
    return tuple(sorted(stopped))


def _refuses(decision: _Decision) -> bool:
    return any(state in _SURE for _, _, state in decision)


def _pulls_elsewhere(pull: PullFailure, facts: PullFacts) -> bool:
    """Return whether the role's own policies may let it pull from a registry that AWS does not own.

    Where they do, and yet none of the repositories looked at is open to it, it may be meant for others.
    """
    authorization = pull_authorization(pull, facts)
    if isinstance(authorization, Unread):
        return False
    return all(
        any(not _is_of_aws(resource, facts) for resource in authorization.allowed_resources(action))
        for action in (MANIFEST, LAYERS)
    )


def _is_of_aws(resource: str, facts: PullFacts) -> bool:
    # No whole ARN: policies put wildcards for the region and others.
    parts = resource.split(":", 5)
    return len(parts) > _ACCOUNT_OF_ARN and facts.belongs_to_aws(parts[_ACCOUNT_OF_ARN])


def _left_out(found: Sequence[str], names: Sequence[str], looked_at: Sequence[str], refused: Sequence[str]) -> str:
    said = []
    if refused:
        named = ", ".join(refused[:_MOST_NAMED]) + (" and others" if len(refused) > _MOST_NAMED else "")
        said.append(f"{len(refused)} that the policies do not let the role pull, maybe on purpose ({named})")
    if len(names) > len(looked_at):
        said.append(f"{len(names) - len(looked_at)} beyond the first {_MOST_LOOKED_AT}")
    if len(found) > len(names):
        said.append(f"{len(found) - len(names)} of pull through caches")
    return f"Repositories of the account that were not checked: {'; '.join(said)}." if said else ""
