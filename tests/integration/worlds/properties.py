"""What holds of every diagnosis, whatever the world. Nothing here asks the code under test what is right."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tests.integration.worlds.breaks import (
    BREAKS,
    hidden,
    is_needed,
    justified_causes,
    repaired,
)
from tests.integration.worlds.caches import nobody_knows
from tests.integration.worlds.world import EVERYTHING, SPOKE, WAY, Part, World, fetches, works

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pull_responder.diagnosis import Diagnosis
    from tests.integration.worlds.building import Built
    from tests.integration.worlds.examples import Example
    from tests.integration.worlds.failures import Failure

OF_THE_WAY: Final = frozenset(
    {
        "no_route_to_ecr",
        "nat_gateway_unavailable",
        "public_ip_missing",
        "security_group_blocks_egress",
        "network_acl_blocks_traffic",
        "vpc_endpoint_missing",
        "vpc_endpoint_unavailable",
        "endpoint_private_dns_disabled",
        "vpc_dns_disabled",
        "endpoint_security_group_blocks_ingress",
        "s3_endpoint_not_in_route_table",
        "peering_cannot_carry_traffic",
        "transit_gateway_blocks_traffic",
        "network_firewall_blocks_registry",
        "dns_firewall_blocks_registry",
    }
)
_ROLE: Final = Part.TOKEN | Part.POLICIES
_CONCERNS: Final = {
    **dict.fromkeys(OF_THE_WAY, WAY),
    "role_lacks_pull_permissions": _ROLE,
    "role_policy_denies_pull": _ROLE,
    "permissions_boundary_blocks_pull": _ROLE,
    "scp_blocks_pull": _ROLE,
    "rcp_blocks_pull": _ROLE,
    "session_policy_blocks_pull": _ROLE,
    "endpoint_policy_blocks_pull": _ROLE,
    "repository_policy_lacks_grant": Part.POLICIES,
    "repository_policy_denies_pull": Part.POLICIES,
    "registry_policy_denies_pull": Part.POLICIES,
    "s3_endpoint_policy_blocks_layers": Part.LAYER_POLICY,
    "instance_profile_missing": Part.IDENTITY,
    "instance_metadata_disabled": Part.IDENTITY,
    "role_trust_policy_excludes_service": Part.IDENTITY,
    "repository_not_found": Part.IMAGE,
    "image_not_found": Part.IMAGE,
    "image_platform_mismatch": Part.PLATFORM,
    "repository_key_unusable": Part.KEY,
    "pull_through_cache_failing": Part.CACHE,
}
"""The parts of a pull that each cause is about."""
_ANSWERS_OF_EKS: Final = frozenset(
    {
        "pull_failing_unexplained",
        "credential_provider_failing",
        "node_group_unhealthy",
        "unexpected_principal_denied",
    }
)
_NOT_SEEN: Final = Part.IMAGE | Part.PLATFORM


def causes_of(diagnosis: Diagnosis) -> set[str]:
    return {finding.cause for finding in diagnosis.findings}


def as_it_was_asked(example: Example) -> Example:
    """The example as the message shows it: where Amazon's DNS server answered, others in the DHCP options did not."""
    by_amazon = example.says.endswith(": no name") and example.world.hub == "servers"
    return replace(example, world=replace(example.world, hub="")) if by_amazon else example


def reports_only_what_stops(example: Example, said: Failure, diagnosis: Diagnosis) -> None:
    """Each cause is one of the world's breaks, and no round of repairs is enough without its repair."""
    words = said.may_be_taken_at_their_word(example.world, example.unread)
    assert causes_of(diagnosis) <= _justified(example, said) | words


def _justified(example: Example, said: Failure) -> set[str]:
    world, breaks, parts = example.world, example.breaks, _parts(example, said)
    beside_the_way = justified_causes(world, breaks, parts & ~WAY) - OF_THE_WAY
    if said.said.leads == "elsewhere":
        # The name led to this address, whatever was computed. Nothing but what stops it there is certain.
        return beside_the_way | _stops_private_address(world)
    if said.said.leads == "public":
        # An endpoint had taken the name, and the node did not ask for it there. The layers are another host's.
        return beside_the_way | justified_causes(world, breaks, parts & Part.S3) | _stops_any_address(world)
    if said.said.leads == "server":
        # Amazon's DNS server was not asked. Where nothing else leads out or in, its answer does not matter.
        elsewhere = replace(world, hub="servers", hub_fault="")
        alone = not (world.hub or world.has_endpoints)
        return (
            beside_the_way
            | justified_causes(elsewhere, breaks, parts)
            | (justified_causes(world, breaks, parts) if alone else set())
        ) - {"vpc_dns_disabled"}
    found = justified_causes(world, breaks, parts)
    if said.said.leads == "foreign":
        # It is the way to the internet that failed.
        found |= justified_causes(replace(world, way=_by_internet(world), hub="", hub_fault=""), breaks, parts)
        found |= {"no_route_to_ecr"} if world.way in ("endpoints", SPOKE) else set()
    if fetches(world) and (world.boundary == "narrow" or world.scp == "lacks"):
        # What allows nothing of ECR lacks what the cache needs, too.
        found.add("pull_through_cache_failing")
    if world.hub and "at its address" in example.says:
        # A public address: the hub did not answer.
        found |= justified_causes(replace(world, hub=""), breaks, parts)
        found |= {"no_route_to_ecr", "vpc_endpoint_missing"} if world.way == SPOKE else set()
    return found


def _stops_private_address(world: World) -> set[str]:
    """What stops the way to a private address outside the VPC for certain. Only the hub's route leads there."""
    stops = {
        "no_route_to_ecr": not world.hub,
        "security_group_blocks_egress": world.egress in ("none", "least"),
        "network_acl_blocks_traffic": world.acl in ("denies", "no answers"),
    }
    return {cause for cause, it_does in stops.items() if it_does}


def _stops_any_address(world: World) -> set[str]:
    """What stops the way to every address outside the node's subnet."""
    stops = {
        "security_group_blocks_egress": world.egress == "none",
        "network_acl_blocks_traffic": world.acl in ("denies", "no answers"),
    }
    return {cause for cause, it_does in stops.items() if it_does}


def _by_internet(world: World) -> str:
    """The way without endpoints that the VPC has beside them."""
    return "nat" if world.way == "both" else world.way


def _parts(example: Example, said: Failure) -> Part:
    """The parts that can stop this pull: the other subnet of the node group only if its nodes may be there."""
    anywhere = said.asks == "node group" or example.world.gone or example.world.puller == "pod"
    return EVERYTHING if anywhere else EVERYTHING & ~Part.OTHER_ZONE


def passes_nothing_broken(example: Example, said: Failure, diagnosis: Diagnosis) -> None:
    """What passes is not broken, and could not be broken in what was not read."""
    parts = said.parts & _parts(example, said)
    for name in example.breaks:
        if is_needed(name, example.world, example.breaks, parts):
            assert not BREAKS[name].causes & set(diagnosis.passed), name
    for name, causes in _may_be_hidden(example, said):
        assert not causes & set(diagnosis.passed), name
    if nobody_knows(example.world, asked=said.pull is None, unread=example.unread):
        assert "pull_through_cache_failing" not in diagnosis.passed


def is_clear(example: Example, said: Failure, diagnosis: Diagnosis) -> None:
    """Nothing that can explain the failure is broken or unread, and something shows what has changed since."""
    assert not said.said.contradicts
    assert said.said.leads != "foreign" or example.world.way not in ("endpoints", SPOKE), "no way leads to this host"
    parts = said.parts & _parts(example, said)
    for name in example.breaks:
        explains = said.explained_by(BREAKS[name].causes)
        assert not (explains and is_needed(name, example.world, example.breaks, parts)), name
    for name, causes in _may_be_hidden(example, said):
        assert not said.explained_by(causes), name
    assert not _is_out_of_sight(example, said), "nobody can see a part of this pull"
    assert not nobody_knows(example.world, asked=said.pull is None, unread=example.unread), "nobody knows"
    assert diagnosis.note or diagnosis.look_next or said.pull is None or said.parts in (Part(0), Part.PLATFORM)


def _is_out_of_sight(example: Example, said: Failure) -> bool:
    """Whether a part of the pull that the failure is about can never be read: of a hub, of AWS, of an upstream."""
    world = example.world
    by_aws = said.pull is not None and said.pull.denial is not None
    return (
        bool(world.hub and said.parts & WAY and "at its address" not in example.says)
        or bool(world.of_aws and said.parts & _NOT_SEEN and said.pull)
        or bool(fetches(world) and said.parts & Part.IMAGE and said.pull)
        # A pull secret, or a role of the pod's own.
        or bool(said.pull and not by_aws and said.parts & Part.POLICIES and Part.IMAGE not in said.parts)
    )


def blames_its_own(finding_ids: Iterable[str], built: Built) -> None:
    """What is reported is a part of this world that its pull meets, and none that stands beside it."""
    for each in finding_ids:
        assert each.endswith(tuple(built.parts)), each


def tells_what_concerns(said: Failure, diagnosis: Diagnosis) -> None:
    """What is reported or left open is about what failed, by the symptom and the stage that the message tells.

    Contract: the rules of reporting, "The symptom says where to look".
    """
    about = said.parts
    if said.parts & (_ROLE | Part.LAYER_POLICY | Part.CACHE):
        about |= _ROLE | Part.LAYER_POLICY | Part.IMAGE | Part.CACHE | Part.KEY
    elif said.parts & WAY:
        about |= _ROLE | Part.LAYER_POLICY
    elif said.parts & Part.IMAGE or said.said.contradicts:
        about |= Part.IMAGE | Part.CACHE
    if said.pull and said.pull.denial:
        about |= Part.IDENTITY  # the trust of a pod's own role
    told = causes_of(diagnosis) | {each.cause for each in diagnosis.inconclusive}
    for cause in told if said.parts != EVERYTHING else ():
        of_words = cause in said.said.blames | _ANSWERS_OF_EKS
        assert of_words or about & _CONCERNS.get(cause, Part(0)), cause


def finds_all(example: Example, said: Failure, diagnosis: Diagnosis) -> None:
    """Where everything can be read, one round of repairs is enough for what the failure is about."""
    parts = said.parts & _parts(example, said)
    reported = causes_of(diagnosis)
    world = example.world
    open_ = set()
    unknown = nobody_knows(world, asked=said.pull is None, unread=example.unread)
    # Of a node that is gone, an event that names no role does not tell whose it was.
    if world.hub or world.puller == "pod" or unknown or "the node is gone" in world.misses:
        # What another finding explains without it is left open beside the answer.
        open_ = {each.cause for each in (*diagnosis.inconclusive, *diagnosis.unchecked)}
    elif world.puller == "fargate" and said.pull is None:
        # Of pods that are to come, a SecurityGroupPolicy may give each other groups.
        open_ = {each.cause for each in diagnosis.inconclusive} & {"security_group_blocks_egress"}
    needed = [name for name in example.breaks if is_needed(name, world, example.breaks, parts)]
    for name in needed:
        causes = BREAKS[name].causes
        assert causes & (reported | open_) if causes else open_ or reported or said.said.blames, name
    if not open_:
        # Of what has no cause nobody can tell.
        mended = frozenset(name for name in example.breaks if _is_mended(name, example, reported))
        assert works(repaired(world, mended), parts), "another round of repairs is needed"
        for cause in reported:
            but_this = frozenset(name for name in mended if cause not in BREAKS[name].causes)
            if but_this != mended:
                whole = _parts(example, said)
                assert not works(repaired(world, but_this), whole), f"{cause} need not be repaired"


def _is_mended(name: str, example: Example, reported: set[str]) -> bool:
    """Whether the repairs of these causes mend a break. Where an endpoint is to be made, a route need not be."""
    causes = BREAKS[name].causes
    if "no_route_to_ecr" in causes and "no_route_to_ecr" not in reported:
        others = (each for each in example.breaks if "no_route_to_ecr" not in BREAKS[each].causes)
        causes = causes - {cause for each in others for cause in BREAKS[each].causes}
        return bool(causes & reported)
    return not causes or bool(causes & reported)


def hides_nothing_and_invents_nothing(
    example: Example, said: Failure, diagnosis: Diagnosis, readable: Diagnosis
) -> None:
    """What is not read makes no cause: AWS's words alone may, as they stand in for it."""
    words = said.may_be_taken_at_their_word(example.world, example.unread)
    assert causes_of(diagnosis) <= causes_of(readable) | words, f"{causes_of(readable)=}"


def _may_be_hidden(example: Example, said: Failure) -> Iterator[tuple[str, frozenset[str]]]:
    """The breaks that the world could have as well, seen without the reads that fail, and that would stop the pull."""
    parts = said.parts & _parts(example, said)
    for name in hidden(example.world, example.unread):
        world = replace(example.world, **BREAKS[name].changes)
        if is_needed(name, world, example.breaks | {name}, parts):
            yield name, BREAKS[name].causes
