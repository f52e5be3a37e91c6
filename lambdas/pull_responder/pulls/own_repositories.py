"""Chooses which of the account's own repositories to ask about before a pod fails.

AWS does not show which repositories a cluster is meant to pull from. A role may be denied some of them on purpose. It
may be denied all of them if it pulls from another account's registry. So the policies choose:

- Repositories for which the policies decide alike form a group. One repository of each group is asked about.
- Groups that the role may not pull are left out. They are asked about, and reported, only if the role may pull no
  examined repository and its own policies allow no registry except AWS's own.

No manifest is read, and ECR is not made to fetch anything into a pull through cache. See
docs/adr/0038-kept-from-its-own-registry.md.
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

# Each examined repository costs one or two reads, each repository asked about a whole diagnosis.
_MOST_EXAMINED: Final = 12
_MOST_ASKED: Final = 3
_MOST_NAMED: Final = 5
_ACCOUNT_OF_ARN: Final = 4
_SURE: Final = (State.BLOCKS_IMPLICITLY, State.BLOCKS_EXPLICITLY)

# For each stopped action: the action, the kind of policy that stops it, and the state.
_Decision = tuple[tuple[str, str, State], ...]


@dataclass(frozen=True, slots=True)
class OwnRepositories:
    """The repositories to ask about, and a sentence on those left out. The sentence is empty where none is left out."""

    asked: tuple[str, ...]
    not_asked: str = ""


NO_REPOSITORIES: Final = OwnRepositories(())


def own_repositories(pull: PullFailure, facts: PullFacts) -> OwnRepositories:
    """Return the repositories to ask about in the registry of `pull`: the same ones until the account changes."""
    account, region = pull.registry_account or "", pull.region
    facts.read_ahead([lambda: facts.repository_names(account, region), lambda: facts.cache_rules(account, region)])
    found, rules = facts.repository_names(account, region), facts.cache_rules(account, region)
    if isinstance(found, Unread):
        return OwnRepositories((), f"No repository of account {account} was checked: {found.reason}.")
    if isinstance(rules, Unread):
        return OwnRepositories((), f"No repository of account {account} was checked: {rules.reason}.")
    names = [name for name in found if rule_for(name, rules) is None]
    examined = _spread(names)
    decisions = facts.side_by_side(lambda name: _decision(replace(pull, repository=name), facts), examined)
    by_decision: dict[_Decision, list[str]] = {}
    for name, decision in zip(examined, decisions, strict=True):
        by_decision.setdefault(decision, []).append(name)
    open_to = {decision: alike for decision, alike in by_decision.items() if not _refuses(decision)}
    is_meant = bool(open_to) or _pulls_elsewhere(pull, facts)
    asked = tuple(alike[0] for alike in (open_to if is_meant else by_decision).values())[:_MOST_ASKED]
    refused = [name for decision, alike in by_decision.items() if is_meant and _refuses(decision) for name in alike]
    return OwnRepositories(asked, _describe_rest(found, names, examined, refused))


def _spread(names: Sequence[str]) -> list[str]:
    """Return some of the names: the first of each namespace, then the second of each, and so on."""
    order: dict[str, int] = {}
    turns = []
    for name in sorted(names):
        namespace = name.rpartition("/")[0]
        order[namespace] = turn = order.get(namespace, 0) + 1
        turns.append((turn, name))
    return [name for _, name in sorted(turns)[:_MOST_EXAMINED]]


def _decision(pull: PullFailure, facts: PullFacts) -> _Decision:
    """Return what the policies do to each action of the pull. Empty where they stop none, or are not known."""
    authorization = pull_authorization(pull, facts)
    if isinstance(authorization, Unread):
        return ()
    stopped = {(each.action, str(each.outcome.kind), each.outcome.state) for each in authorization.stopped_actions()}
    return tuple(sorted(stopped))


def _refuses(decision: _Decision) -> bool:
    return any(state in _SURE for _, _, state in decision)


def _pulls_elsewhere(pull: PullFailure, facts: PullFacts) -> bool:
    """Return whether the role's own policies may allow a registry that AWS does not own.

    If so, and it may pull none of the examined repositories, these may be meant for other roles.
    """
    authorization = pull_authorization(pull, facts)
    if isinstance(authorization, Unread):
        return False
    return all(
        any(not _is_of_aws(resource, facts) for resource in authorization.allowed_resources(action))
        for action in (MANIFEST, LAYERS)
    )


def _is_of_aws(resource: str, facts: PullFacts) -> bool:
    # Not parsed as an ARN: policies put wildcards for the region and other parts.
    parts = resource.split(":", 5)
    return len(parts) > _ACCOUNT_OF_ARN and facts.belongs_to_aws(parts[_ACCOUNT_OF_ARN])


def _describe_rest(found: Sequence[str], names: Sequence[str], examined: Sequence[str], refused: Sequence[str]) -> str:
    parts = []
    if refused:
        named = ", ".join(refused[:_MOST_NAMED]) + (" and others" if len(refused) > _MOST_NAMED else "")
        parts.append(f"{len(refused)} that the policies do not let the role pull, maybe on purpose ({named})")
    if len(names) > len(examined):
        parts.append(f"{len(names) - len(examined)} beyond the first {_MOST_EXAMINED}")
    if len(found) > len(names):
        parts.append(f"{len(found) - len(names)} of pull through caches")
    return f"Repositories of the account that were not checked: {'; '.join(parts)}." if parts else ""
