"""What is known of a role that pods have of their own."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PodRole:
    """A role that pods of a cluster have, as far as that is known.

    - `for_eks` is None where it is not known whether its pods run on EKS, False where they certainly do not.
    - `because` is a clause that says how the answer is known.
    - `cluster` and `region` are the cluster whose pods have it, and its region. None where it is not known.
    - `provider` is the ARN of the OIDC provider whose tokens should get the role. None for EKS Pod Identity, and where
      it is not known.
    - `by_session` says that the denied session itself proves the provider, not only the trust policy.
    """

    for_eks: bool | None
    because: str
    cluster: str | None = None
    provider: str | None = None
    by_session: bool = False
    region: str | None = None
