from __future__ import annotations

import pytest

from pull_responder.model.verdict import Remediation
from pull_responder.remediation.composition import combine

DETACH = Remediation("Detach.", "111111111111", "eu-west-1", "https://one", (("aws", "1"),))
EDIT = Remediation("Edit.", "111111111111", "eu-west-1", "https://two")
PUT = Remediation("Put.", "111111111111", "eu-west-1", "https://three", (("aws", "2"), ("aws", "3")))


def test_commands_follow_each_other() -> None:
    assert combine(DETACH, EDIT, PUT) == Remediation(
        "Detach. Edit. Put.",
        "111111111111",
        "eu-west-1",
        "https://one",
        (("aws", "1"), ("aws", "2"), ("aws", "3")),
    )


def test_a_single_remediation_is_unchanged() -> None:
    assert combine(PUT) == PUT


def test_different_accounts_are_rejected() -> None:
    with pytest.raises(ValueError, match=r"^remediations of different accounts cannot share one set of credentials$"):
        combine(DETACH, Remediation("Put.", "222222222222", "eu-west-1", "https://two"))
