"""What AWS says, in the form that checks ask for.

Each kind of fact has a file: what runs pods in compute_facts.py, roles in role_facts.py, organizations in
organization_facts.py, registries in registry_facts.py.
"""

from __future__ import annotations

from pull_responder.facts.compute_facts import ComputeFacts
from pull_responder.facts.organization_facts import OrganizationFacts
from pull_responder.facts.registry_facts import RegistryFacts
from pull_responder.facts.role_facts import RoleFacts


class Facts(ComputeFacts, RoleFacts, OrganizationFacts, RegistryFacts):
    """What AWS says. Each fact is read when it is first needed, and then kept.

    None means that the thing does not exist. `Unread` means that it could not be read, and says why. All arguments are
    positional, so that the same question always has the same key.
    """
