"""What AWS says, as checks ask for it.

Each kind of fact has a file: what runs pods in compute_facts.py, roles in role_facts.py, organizations in
organization_facts.py, registries in registry_facts.py.
"""

from __future__ import annotations

from pull_responder.facts.compute_facts import ComputeFacts
from pull_responder.facts.organization_facts import OrganizationFacts
from pull_responder.facts.registry_facts import RegistryFacts
from pull_responder.facts.role_facts import RoleFacts


class Facts(ComputeFacts, RoleFacts, OrganizationFacts, RegistryFacts):
    """What AWS says, read when first asked for and then kept.

    None means that the thing does not exist; `Unread` that it could not be read, and why. All arguments are
    positional, so that the same question is always the same key.
    """
