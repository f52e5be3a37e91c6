"""The list of the checks, one file for each cause. Pages, permissions and the README are made from this tuple.

The files load when `CHECKS` or `BY_ID` is first asked for. Who needs only `check.py`, as `pull_responder.known_causes`
does for a terminal that examines nothing, loads none of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pull_responder.checks.check import Check

    CHECKS: tuple[Check, ...]
    BY_ID: Mapping[str, Check]
    """The checks by the ids of their causes."""


def _checks() -> tuple[Check, ...]:
    from pull_responder.checks import (  # noqa: PLC0415 -- see the module's docstring
        credential_provider_failing,
        dns_firewall_blocks_registry,
        endpoint_policy_blocks_pull,
        endpoint_private_dns_disabled,
        endpoint_security_group_blocks_ingress,
        image_not_found,
        image_platform_mismatch,
        instance_metadata_disabled,
        instance_profile_missing,
        nat_gateway_unavailable,
        network_acl_blocks_traffic,
        network_firewall_blocks_registry,
        no_route_to_ecr,
        node_disk_full,
        node_group_unhealthy,
        peering_cannot_carry_traffic,
        permissions_boundary_blocks_pull,
        proxy_blocks_pull,
        public_ip_missing,
        pull_failing_unexplained,
        pull_through_cache_failing,
        rcp_blocks_pull,
        registry_certificate_untrusted,
        registry_policy_denies_pull,
        registry_throttled,
        registry_token_expired,
        registry_unavailable,
        repository_key_unusable,
        repository_not_found,
        repository_policy_denies_pull,
        repository_policy_lacks_grant,
        responder_is_blind,
        role_lacks_pull_permissions,
        role_policy_denies_pull,
        role_trust_policy_excludes_service,
        s3_endpoint_not_in_route_table,
        s3_endpoint_policy_blocks_layers,
        scp_blocks_pull,
        security_group_blocks_egress,
        session_policy_blocks_pull,
        transit_gateway_blocks_traffic,
        unexpected_principal_denied,
        vpc_dns_disabled,
        vpc_endpoint_missing,
        vpc_endpoint_unavailable,
    )

    return (
        role_lacks_pull_permissions.CHECK,
        role_policy_denies_pull.CHECK,
        permissions_boundary_blocks_pull.CHECK,
        scp_blocks_pull.CHECK,
        rcp_blocks_pull.CHECK,
        session_policy_blocks_pull.CHECK,
        repository_policy_lacks_grant.CHECK,
        repository_policy_denies_pull.CHECK,
        registry_policy_denies_pull.CHECK,
        endpoint_policy_blocks_pull.CHECK,
        s3_endpoint_policy_blocks_layers.CHECK,
        no_route_to_ecr.CHECK,
        nat_gateway_unavailable.CHECK,
        public_ip_missing.CHECK,
        security_group_blocks_egress.CHECK,
        network_acl_blocks_traffic.CHECK,
        peering_cannot_carry_traffic.CHECK,
        transit_gateway_blocks_traffic.CHECK,
        network_firewall_blocks_registry.CHECK,
        dns_firewall_blocks_registry.CHECK,
        vpc_dns_disabled.CHECK,
        vpc_endpoint_missing.CHECK,
        vpc_endpoint_unavailable.CHECK,
        endpoint_private_dns_disabled.CHECK,
        endpoint_security_group_blocks_ingress.CHECK,
        s3_endpoint_not_in_route_table.CHECK,
        instance_profile_missing.CHECK,
        role_trust_policy_excludes_service.CHECK,
        instance_metadata_disabled.CHECK,
        repository_not_found.CHECK,
        image_not_found.CHECK,
        image_platform_mismatch.CHECK,
        repository_key_unusable.CHECK,
        pull_through_cache_failing.CHECK,
        registry_throttled.CHECK,
        registry_token_expired.CHECK,
        node_disk_full.CHECK,
        credential_provider_failing.CHECK,
        proxy_blocks_pull.CHECK,
        registry_certificate_untrusted.CHECK,
        registry_unavailable.CHECK,
        node_group_unhealthy.CHECK,
        unexpected_principal_denied.CHECK,
        pull_failing_unexplained.CHECK,
        responder_is_blind.CHECK,
    )


def __getattr__(name: str) -> object:
    """Load the checks when one of the two lists is asked for (Python, "Customizing module attribute access")."""
    if name not in ("CHECKS", "BY_ID"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        checks = _checks()
    except AttributeError as mistake:
        # `from … import` would take it for a lack of the name, and forget where it was made.
        raise RuntimeError("a check cannot be loaded") from mistake
    globals().update(CHECKS=checks, BY_ID={check.id: check for check in checks})
    return globals()[name]
