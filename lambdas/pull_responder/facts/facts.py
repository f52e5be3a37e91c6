"""The facts of one diagnosis, as checks ask for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from pull_responder.events.addon_registries import AWS_REGISTRIES
from pull_responder.facts import (
    compute,
    ec2,
    ecr,
    eks,
    iam,
    images,
    kms,
    lifecycle,
    network,
    organizations,
)
from pull_responder.facts.cache_rules import CacheRule, Secret, read_cache_rules, read_secret, rule_for
from pull_responder.facts.node import Nodes, find_nodes, instance_id_of, private_dns_name
from pull_responder.facts.puller import Puller, find_puller
from pull_responder.model.arn import Arn, partition_of
from pull_responder.model.pull import PrincipalKind, PullFailure
from pull_responder.model.reading import Unread

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence

    from pull_responder.facts.reading import Reading

P = ParamSpec("P")
T = TypeVar("T")


def _once(read: Callable[Concatenate[Facts, P], T]) -> Callable[Concatenate[Facts, P], T]:
    """Read a fact the first time it is asked for with these arguments, and remember it."""

    def remembered(self: Facts, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._reading.once((read.__name__, *args), lambda: read(self, *args, **kwargs))

    remembered.__doc__ = read.__doc__
    return remembered


class Facts:
    """What AWS says, read when first asked for and then kept.

    None means that the thing does not exist; `Unread` that it could not be read, and why. All arguments are
    positional, so that the same question is always the same key. `known_principals` is what the operator says: ARNs,
    `*` allowed, of those who pull for something else than EKS. `asked` are the nodes that a question is about (without,
    they are looked for), and `registry_host` is the host its image names, which may be a dual-stack or FIPS one.
    """

    def __init__(
        self,
        reading: Reading,
        *,
        known_principals: tuple[str, ...] = (),
        asked: Nodes | None = None,
        registry_host: str | None = None,
    ) -> None:
        self._reading = reading
        self.known_principals = known_principals
        self.asked = asked
        self.registry_host = registry_host

    def once(self, key: Hashable, work: Callable[[], T]) -> T:
        """Return what `work` gives, doing it only the first time that `key` is asked for."""
        return self._reading.once((self.asked and self.asked.name, self.registry_host, key), work)

    def read_ahead(self, reads: Sequence[Callable[[], object]]) -> None:
        """Ask for several facts side by side, so that asking for each of them afterwards costs no round of its own."""
        self._reading.each(lambda read: read(), reads)

    @property
    def out_of_time(self) -> bool:
        """Whether something was not read for want of time."""
        return self._reading.out_of_time

    def seconds_left(self) -> float | None:
        """Return how long reading may go on, None without end."""
        remaining = self._reading.remaining()
        return None if remaining == float("inf") else max(remaining, 0.0)

    def puller(self, pull: PullFailure, /) -> Puller:
        """Return who is pulling, and whether for EKS."""
        if self.asked:
            return _asked(self.asked)
        return self.once(("puller", pull.principal, pull.region, pull.cluster), lambda: find_puller(self, pull))

    def instance(self, pull: PullFailure, /) -> ec2.Instance | Unread | None:
        """Return the instance whose session pulled; None if the session is none, or it is gone or in another region."""
        principal = pull.principal
        if self.asked:
            return next(iter(self.asked.instances), None)
        if principal is None or principal.instance_id is None or principal.account is None:
            return None
        return self._find_instance(principal.account, principal.instance_id, pull)

    def node_instance(self, pull: PullFailure, /) -> ec2.Instance | Unread | None:
        """Return the instance that pulled, by its session or by the node's name; None if neither finds one."""
        principal = pull.principal
        account = (principal.account if principal else None) or pull.account
        if account is None or (principal and principal.instance_id):
            return self.instance(pull)
        if instance_id := instance_id_of(pull.node):
            return self._find_instance(account, instance_id, pull)
        if name := private_dns_name(pull.node):
            regions = self.regions(pull)
            return _first([self._instance_by_name(account, region, name, pull.cluster) for region in regions])
        return None

    def identity(self) -> Arn | Unread:
        """Return who we are."""
        return self._reading.aws.identity()

    @property
    def region(self) -> str | None:
        """Our own region, None where the SDK's configuration names none."""
        return self._reading.aws.region

    def regions(self, pull: PullFailure, /) -> tuple[str, ...]:
        """Return the regions that the node can be in: the registry's, and our own."""
        return tuple(dict.fromkeys((pull.region, self._reading.aws.region or pull.region)))

    def _find_instance(self, account: str, instance_id: str, pull: PullFailure) -> ec2.Instance | Unread | None:
        regions = self.regions(pull)
        return _first(self._reading.each(lambda region: self._instance(account, region, instance_id), regions))

    @_once
    def _instance_by_name(
        self, account: str, region: str, name: str, cluster: str | None, /
    ) -> ec2.Instance | Unread | None:
        found = ec2.read_running_instances(self._reading, account, region, {"private-dns-name": (name,)})
        if isinstance(found, Unread):
            return found
        # Private DNS names are made of private addresses, which VPCs share.
        ours = [each for each in found if cluster is None or each.cluster == cluster]
        return ours[0] if len(ours) == 1 else None

    @_once
    def _instance(self, account: str, region: str, instance_id: str, /) -> ec2.Instance | Unread | None:
        return ec2.read_instance(self._reading, account, region, instance_id)

    def nodes(self, pull: PullFailure, /) -> Nodes | Unread:
        """Return the nodes that the pull comes from, or would come from."""
        if self.asked:
            return self.asked
        key = ("nodes", pull.principal, pull.region, pull.account, pull.cluster, pull.node)
        return self.once(key, lambda: find_nodes(self, pull))

    @_once
    def running_instances(
        self, account: str | None, region: str, filters: tuple[tuple[str, tuple[str, ...]], ...], /
    ) -> tuple[ec2.Instance, ...] | Unread:
        """Return the running instances that all filters match."""
        return ec2.read_running_instances(self._reading, account, region, dict(filters))

    @_once
    def launch_template(
        self, account: str, region: str, template_id: str, version: str, /
    ) -> ec2.LaunchTemplate | Unread | None:
        """Return a version of a launch template."""
        return ec2.read_launch_template(self._reading, account, region, template_id, version)

    @_once
    def cluster(self, account: str | None, region: str, name: str, /) -> compute.Cluster | Unread | None:
        """Return a cluster."""
        return compute.read_cluster(self._reading, account, region, name)

    @_once
    def node_group(
        self, account: str | None, region: str, cluster: str, name: str, /
    ) -> compute.NodeGroup | Unread | None:
        """Return a managed node group."""
        return compute.read_node_group(self._reading, account, region, cluster, name)

    @_once
    def fargate_profile(
        self, account: str | None, region: str, cluster: str, name: str, /
    ) -> compute.FargateProfile | Unread | None:
        """Return a Fargate profile."""
        return compute.read_fargate_profile(self._reading, account, region, cluster, name)

    @_once
    def node_group_names(self, account: str | None, region: str, cluster: str, /) -> tuple[str, ...] | Unread | None:
        """Return the names of a cluster's node groups; None if there is no such cluster."""
        return compute.read_node_group_names(self._reading, account, region, cluster)

    @_once
    def fargate_profile_names(
        self, account: str | None, region: str, cluster: str, /
    ) -> tuple[str, ...] | Unread | None:
        """Return the names of a cluster's Fargate profiles; None if there is no such cluster."""
        return compute.read_fargate_profile_names(self._reading, account, region, cluster)

    @_once
    def cluster_names(self, account: str | None, region: str, /) -> tuple[str, ...] | Unread:
        """Return the names of the region's clusters."""
        found = eks.read_clusters(self._reading, account, region)
        return found if isinstance(found, Unread) else tuple(found)

    @_once
    def vpc_of_subnets(self, account: str, region: str, subnet_ids: tuple[str, ...], /) -> str | Unread:
        """Return the VPC that subnets are in."""
        return network.read_vpc_id(self._reading, account, region, subnet_ids)

    @_once
    def vpc_parts(self, account: str, region: str, vpc_id: str, /) -> network.VpcParts:
        """Return everything about a VPC that a way to the registry can hang on."""
        return network.read_vpc_parts(self._reading, account, region, vpc_id)

    @_once
    def instance_profile(self, account: str, region: str, name: str, /) -> iam.InstanceProfile | Unread | None:
        """Return an instance profile; None if there is none."""
        return iam.read_instance_profile(self._reading, account, region, name)

    @_once
    def role(self, account: str, region: str, name: str, /) -> iam.Role | Unread | None:
        """Return a role by its name, which session ARNs keep while they drop its path."""
        return iam.read_role(self._reading, account, region, name)

    def role_arn(self, pull: PullFailure, /) -> str | None:
        """Return the pulling role's own ARN, from the event or from IAM; None for others, or if neither tells."""
        principal = pull.principal
        if principal is None or principal.account is None or principal.name is None:
            return None
        if principal.role_arn or principal.kind is not PrincipalKind.ROLE:
            return principal.role_arn
        role = self.role(principal.account, pull.region, principal.name)
        return role.arn if isinstance(role, iam.Role) else None

    @_once
    def identity_policies(self, account: str, region: str, role: str, /) -> tuple[iam.PolicyText, ...] | Unread | None:
        """Return the role's inline and attached policies; None if there is no such role."""
        kinds = (iam.read_inline_policies, iam.read_attached_policies)
        read = self._reading.each(lambda kind: kind(self._reading, account, region, role), kinds)
        found: list[iam.PolicyText] = []
        for policies in read:
            if policies is None or isinstance(policies, Unread):
                return policies
            found.extend(policies)
        return tuple(found)

    @_once
    def boundary(self, account: str, region: str, role: str, /) -> tuple[iam.PolicyText, ...] | Unread | None:
        """Return the role's permissions boundary: none, or one policy; None if there is no such role."""
        found = self.role(account, region, role)
        if not isinstance(found, iam.Role):
            return found
        if found.boundary_arn is None:
            return ()
        policy = self.managed_policy(account, region, found.boundary_arn)
        return policy if isinstance(policy, Unread) else (policy,)

    def managed_policy(self, account: str, region: str, arn: str, /) -> iam.PolicyText | Unread:
        """Return a managed policy in its default version."""
        return iam.read_managed_policy(self._reading, account, region, arn)

    @_once
    def policy_versions(self, account: str, region: str, arn: str, /) -> tuple[str, ...] | Unread:
        """Return the version ids of a customer managed policy, oldest first."""
        return iam.read_policy_versions(self._reading, account, region, arn)

    @_once
    def compute_uses(self, account: str, region: str, role: str, /) -> eks.ClusterUses | Unread:
        """Return the node groups and Fargate profiles that use the role."""
        return eks.read_compute_uses(self._reading, account, region, role)

    @_once
    def access_entry_uses(self, account: str, region: str, role: str, /) -> eks.ClusterUses | Unread:
        """Return the access entries of a node type that name the role."""
        return eks.read_access_entry_uses(self._reading, account, region, role)

    @_once
    def organization(self, account: str, region: str, /) -> organizations.Organization | Unread | None:
        """Return the account's organization; None if it is in none."""
        return organizations.read_organization(self._reading, account, region)

    @_once
    def organization_path(self, account: str, region: str, /) -> organizations.Place | Unread | None:
        """Return where the account is in its organization; None if it is in none.

        Asked of our own account first, which may be a delegated administrator, then of the management account.
        """
        organization = self.organization(account, region)
        if organization is None or isinstance(organization, Unread):
            return organization
        own = self._reading.aws.identity()
        readers = [organization.management_account] if isinstance(own, Unread) else [own.account]
        if organization.management_account not in readers:
            readers.append(organization.management_account)
        reasons = []
        for reader in readers:
            place = organizations.read_place(self._reading, reader, region, account)
            if not isinstance(place, Unread):
                return place
            reasons.append(place.reason)
        return Unread("; ".join(reasons))

    @_once
    def control_policies(
        self, account: str, region: str, kind: organizations.ControlPolicyType, /
    ) -> organizations.ControlPolicies | Unread | None:
        """Return the service or resource control policies that control the account, level by level.

        None where none can: the account is in no organization, or it is the management account of one.
        """
        if account in AWS_REGISTRIES:
            return None
        organization = self.organization(account, region)
        if isinstance(organization, Unread):
            return organization
        if organization is None or organization.management_account == account:
            return None
        place = self.organization_path(account, region)
        if place is None or isinstance(place, Unread):
            return place
        return organizations.read_control_policies(self._reading, place, region, kind)

    def uses(self, account: str, region: str, role: str, /) -> tuple[eks.ClusterUses | Unread, ...]:
        """Return the clusters' uses of the role: as node group or Fargate profile, and by access entry."""
        kinds = (self.compute_uses, self.access_entry_uses)
        return tuple(self._reading.each(lambda kind: kind(account, region, role), kinds))

    @_once
    def repository_policy(self, account: str, region: str, name: str, /) -> ecr.RepositoryPolicy | Unread | None:
        """Return the repository's policy; None if there is no such repository.

        Of AWS's own registries nothing can be read; they let everybody pull, or no add-on would start.
        """
        if account in AWS_REGISTRIES:
            return ecr.RepositoryPolicy({"Statement": {"Effect": "Allow", "Principal": "*", "Action": "ecr:*"}})
        return ecr.read_repository_policy(self._reading, account, region, name)

    @_once
    def repository_tags(self, account: str, region: str, name: str, /) -> Mapping[str, str] | Unread | None:
        """Return the repository's tags; None if there is no such repository."""
        return ecr.read_repository_tags(self._reading, account, region, name)

    @_once
    def cache_rules(self, account: str, region: str, /) -> tuple[CacheRule, ...] | Unread:
        """Return the registry's pull through cache rules."""
        return read_cache_rules(self._reading, account, region)

    def cache_rule(self, account: str, region: str, repository: str, /) -> CacheRule | Unread | None:
        """Return the pull through cache rule that serves a repository, None if none does."""
        rules = self.cache_rules(account, region)
        return rules if isinstance(rules, Unread) else rule_for(repository, rules)

    @_once
    def secret(self, account: str, region: str, arn: str, /) -> Secret | Unread | None:
        """Return that a secret exists, and how it is kept."""
        return read_secret(self._reading, account, region, arn)

    @_once
    def key(self, account: str, region: str, key: str, /) -> kms.Key | Unread | None:
        """Return a KMS key."""
        return kms.read_key(self._reading, account, region, key)

    @_once
    def repository(self, account: str, region: str, name: str, /) -> images.Repository | Unread | None:
        """Return a repository; None if there is no such repository."""
        return images.read_repository(self._reading, account, region, name)

    @_once
    def repository_names(self, account: str, region: str, /) -> tuple[str, ...] | Unread:
        """Return the names of a registry's repositories."""
        return images.read_repository_names(self._reading, account, region)

    def regions_with_repository(self, account: str, name: str, pull: PullFailure, /) -> tuple[str, ...]:
        """Return in which other regions the account has a repository of this name, as far as they can be read.

        Looks in the region of the cluster first, and in all the others of the partition only where it is not there.
        """
        near = [region for region in self.regions(pull) if region != pull.region]
        far = [region for region in self._reading.aws.known_regions() if partition_of(region) == pull.partition]
        for regions in (near, [region for region in far if region not in (pull.region, *near)]):
            found = self._reading.each(lambda region: self.repository(account, region, name), regions)
            there = [each for each, it in zip(regions, found, strict=True) if isinstance(it, images.Repository)]
            if there:
                return tuple(there)
        return ()

    @_once
    def image(self, account: str, region: str, name: images.ImageName, /) -> images.Image | Unread | None:
        """Return the image of this name; None if there is no such repository or image."""
        return images.read_image(self._reading, account, region, name)

    @_once
    def archived(self, account: str, region: str, name: images.ImageName, /) -> str | Unread | None:
        """Return the digest of the archived image of this name; None if none is archived."""
        return images.read_archived(self._reading, account, region, name)

    @_once
    def tags(self, account: str, region: str, name: str, /) -> tuple[str, ...] | Unread:
        """Return the tags of a repository's images."""
        return images.read_tags(self._reading, account, region, name)

    @_once
    def lifecycle_rules(self, account: str, region: str, name: str, /) -> tuple[lifecycle.LifecycleRule, ...] | Unread:
        """Return the rules of a repository's lifecycle policy, none where it has no policy."""
        return lifecycle.read_lifecycle_rules(self._reading, account, region, name)

    def platforms(
        self, account: str, region: str, name: str, digest: str, /, *, just_pulled: bool
    ) -> tuple[images.Platform | None, ...] | Unread | None:
        """Return the platforms that an image index lists; None if the image is gone.

        ECR takes the read for a pull, so it is made only where one more pull changes nothing: not where ECR might fetch
        from an upstream registry, nor where a lifecycle rule goes by the last pull. A node that has `just_pulled` this
        manifest has set that time itself.
        """
        rule = self.cache_rule(account, region, name)
        if isinstance(rule, Unread):
            return rule
        if rule is not None:
            return Unread(f"the manifest was not read: repository {name} is a pull through cache, and would fetch it")
        expiring = () if just_pulled else self.lifecycle_rules(account, region, name)
        if isinstance(expiring, Unread):
            return expiring
        if counting := next((rule for rule in expiring if rule.counts_pulls), None):
            return Unread(
                f"the manifest was not read: it counts as a pull, by which lifecycle rule {counting.priority} goes"
            )
        key = ("platforms", account, region, name, digest)
        return self.once(key, lambda: images.read_platforms(self._reading, account, region, name, digest))

    @_once
    def registry_policy(self, account: str, region: str, /) -> Mapping[str, Any] | Unread | None:
        """Return the registry's policy."""
        if account in AWS_REGISTRIES:
            return None
        return ecr.read_registry_policy(self._reading, account, region)

    @_once
    def registry_policy_scope(self, account: str, region: str, /) -> ecr.RegistryScope | Unread:
        """Return which requests the registry's policy holds for."""
        return ecr.read_registry_policy_scope(self._reading, account, region)


def _first(found: Sequence[ec2.Instance | Unread | None]) -> ec2.Instance | Unread | None:
    """Return what was found in several regions: the instance, else why one was not looked at, else None."""
    instance = next((each for each in found if isinstance(each, ec2.Instance)), None)
    return instance or next((each for each in found if isinstance(each, Unread)), None)


def _asked(nodes: Nodes) -> Puller:
    return Puller(
        for_eks=True,
        because=f"the question is about {nodes.name}",
        cluster=nodes.cluster,
        node_group=nodes.node_group,
        fargate_profile=nodes.fargate_profile,
        instance=next(iter(nodes.instances), None),
    )
