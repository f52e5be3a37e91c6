"""The registries that AWS itself owns and serves EKS add-ons from. Customers can pull from them and read nothing else.

Source: Amazon EKS User Guide, "View Amazon container image registries for Amazon EKS add-ons", of December 2024;
regions that came later are missing.
"""

from __future__ import annotations

from typing import Final

AWS_REGISTRIES: Final = frozenset(
    {
        "013241004608",
        "066635153087",
        "151742754352",
        "296578399912",
        "455263428931",
        "491585149902",
        "558608220178",
        "590381155156",
        "602401143452",
        "759879836304",
        "761377655185",
        "800184023465",
        "877085696533",
        "900612956339",
        "900889452093",
        "918309763551",
        "961992271922",
    }
)
