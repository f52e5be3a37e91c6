"""ECR's managed signing: which repositories have their images signed as they are pushed.

Source: Amazon ECR API Reference, GetSigningConfiguration, SigningRule and SigningRepositoryFilter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pull_responder.model.pattern import compile_stars
from pull_responder.model.unread import Unread

if TYPE_CHECKING:
    from pull_responder.facts.reader import Reader

PERMISSIONS: Final = ("ecr:GetSigningConfiguration",)


@dataclass(frozen=True, slots=True)
class SigningRule:
    """A rule of managed signing. `filters` are names with `*` as a wildcard; without any it covers the registry."""

    filters: tuple[str, ...] = ()

    def covers(self, repository: str) -> bool:
        """Return whether images that are pushed to `repository` are signed."""
        return not self.filters or any(compile_stars(each)(repository) for each in self.filters)


def read_signing_rules(reader: Reader, account: str, region: str) -> tuple[SigningRule, ...] | Unread:
    """Return the rules of a registry's managed signing, none where it has no such configuration."""

    def request(client: Any) -> tuple[SigningRule, ...]:  # noqa: ANN401 -- one of boto3's generated clients
        rules = client.get_signing_configuration()["signingConfiguration"]["rules"]
        return tuple(SigningRule(tuple(each["filter"] for each in rule.get("repositoryFilters", []))) for rule in rules)

    found = reader.call(
        "ecr:GetSigningConfiguration",
        account=account,
        region=region,
        request=request,
        absent=frozenset({"SigningConfigurationNotFoundException"}),
    )
    return () if found is None else found
