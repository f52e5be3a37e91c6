"""The event of Security Hub's custom action: whose it may be, and which ids of it count."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pull_responder.events.change import read_change
from pull_responder.events.look_again import LookAgain
from pull_responder.events.outcome import Skipped

ACCOUNT = "111111111111"
OURS = "pull-responder/role_lacks_pull_permissions/111111111111/eu-west-1/0123456789abcdef0123"


def event(*ids: Any, account: str = ACCOUNT, detail_type: str = "Security Hub Findings - Custom Action") -> str:  # noqa: ANN401 -- JSON
    return json.dumps(
        {
            "version": "0",
            "id": "1a1111a1-b22b-3c33-444d-5555e5ee5555",
            "detail-type": detail_type,
            "source": "aws.securityhub",
            "account": account,
            "time": "2026-03-01T12:00:00Z",
            "region": "eu-west-1",
            "resources": [f"arn:aws:securityhub:eu-west-1:{account}:action/custom/PullResponderLook"],
            "detail": {"actionName": "Look again", "findings": [{"Id": each} for each in ids]},
        }
    )


def test_only_ids_of_ours_count_and_each_once() -> None:
    foreign = ("arn:aws:guardduty:eu-west-1:111111111111:detector/d/finding/f", f"{OURS}/", f"x{OURS}", 7, None)

    assert read_change(event(OURS, *foreign, OURS), account=ACCOUNT) == LookAgain((OURS,))


def test_a_flood_of_ids_is_cut() -> None:
    ids = [f"{OURS[:-4]}{number:04}" for number in range(3000)]
    read = read_change(event(*ids), account=ACCOUNT)

    assert isinstance(read, LookAgain)
    assert read.findings == tuple(ids[:100])


OTHERS = "a custom action in Security Hub of another account"
NONE = "a custom action in Security Hub on no finding of ours"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (event(OURS, account="222222222222"), OTHERS),
        (event("arn:aws:guardduty:eu-west-1:111111111111:detector/d/finding/f"), NONE),
        (event(), NONE),
        (event(OURS, detail_type="Security Hub Findings - Imported"), "an event of aws.securityhub, whose changes"),
    ],
    ids=["another account's", "no finding of ours", "no finding", "no custom action"],
)
def test_what_is_not_asked_of_us_is_skipped(body: str, reason: str) -> None:
    read = read_change(body, account=ACCOUNT)
    assert isinstance(read, Skipped)
    assert read.reason.startswith(reason)
