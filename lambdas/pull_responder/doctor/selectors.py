"""Which management events of ECR a trail's event selectors let through. Pure.

Source: CloudTrail API Reference, EventSelector (defaults: all management events), AdvancedEventSelector and
AdvancedFieldSelector (which operators there are), and the User Guide, "Logging management events". Inference: the
fields of one advanced selector are combined by AND, the values of one operator by OR, those of a negated one by "none
of them"; several operators of one field by AND.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

# CloudTrail API Reference, EventSelector: "up to five event selectors for a trail".
_MOST_BASIC: Final = 5
_MANAGEMENT: Final = {"Field": "eventCategory", "Equals": ["Management"]}
_OPERATORS: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "Equals": lambda value, each: value == each,
    "StartsWith": lambda value, each: value.startswith(each),
    "EndsWith": lambda value, each: value.endswith(each),
}


def logs_events(answer: Mapping[str, Any], *, source: str, names: Sequence[str], read_only: bool) -> bool | None:
    """Return whether a trail with these selectors logs all management events `names` of `source`.

    `answer` is that of GetEventSelectors. None where a selector asks for a field that is not known here.
    """
    if basic := answer.get("EventSelectors"):
        kinds = ("All", "ReadOnly" if read_only else "WriteOnly")
        return any(
            each.get("IncludeManagementEvents", True)
            and each.get("ReadWriteType", "All") in kinds
            and source not in each.get("ExcludeManagementEventSources", [])
            for each in basic
        )
    selectors = answer.get("AdvancedEventSelectors", [])
    return _all(_any(_selects(each, source, name, read_only) for each in selectors) for name in names)


def _selects(selector: Mapping[str, Any], source: str, name: str, read_only: bool) -> bool | None:  # noqa: FBT001 -- a field of the event
    event = {
        "eventCategory": "Management",
        "eventName": name,
        "eventSource": source,
        "eventType": "AwsApiCall",
        "readOnly": str(read_only).lower(),
    }
    return _all(_matches(each, event) for each in selector["FieldSelectors"])


def _matches(field: Mapping[str, Any], event: Mapping[str, str]) -> bool | None:
    value = event.get(field["Field"])
    if value is None:
        return None
    for operator, compare in _OPERATORS.items():
        wanted, unwanted = field.get(operator), field.get(f"Not{operator}")
        if wanted and not any(compare(value, each) for each in wanted):
            return False
        if unwanted and any(compare(value, each) for each in unwanted):
            return False
    return True


def _all(answers: Any) -> bool | None:  # noqa: ANN401 -- an iterable of answers
    each = list(answers)
    return False if False in each else None if None in each else True


def _any(answers: Any) -> bool | None:  # noqa: ANN401 -- an iterable of answers
    each = list(answers)
    return True if True in each else None if None in each else False


def widened(answer: Mapping[str, Any], *, source: str) -> tuple[str, list[dict[str, Any]]]:
    """Return selectors that log all management events of `source`, and else what these do.

    The first value is the option of `aws cloudtrail put-event-selectors` that takes them. There are none where the
    trail has no room for them.
    """
    if basic := answer.get("EventSelectors"):
        return "event_selectors", _widened_basic([dict(each) for each in basic], source)
    selectors = [dict(each) for each in answer.get("AdvancedEventSelectors", [])]
    others = [each for each in selectors if _MANAGEMENT not in each["FieldSelectors"]]
    fields = [field for each in selectors if each not in others for field in each["FieldSelectors"]]
    # What somebody keeps out of the trail for its volume, such as the events of KMS, stays out.
    left_out = sorted(
        {each for field in fields if field["Field"] == "eventSource" for each in field.get("NotEquals", [])}
    )
    left_out = [each for each in left_out if each != source]
    without = [{"Field": "eventSource", "NotEquals": left_out}] if left_out else []
    management = {"Name": "Management events", "FieldSelectors": [_MANAGEMENT, *without]}
    return "advanced_event_selectors", [*others, management]


def _widened_basic(selectors: list[dict[str, Any]], source: str) -> list[dict[str, Any]]:
    """Return basic selectors that log all management events of `source`. Those with data events stay as they are.

    The ReadWriteType of a selector counts for its data events, too: with All, a trail of written objects would log
    each object that is read (CloudTrail User Guide, "Logging data events").
    """
    includes = [each for each in selectors if each.get("IncludeManagementEvents", True)]
    excluded = sorted({each for one in includes for each in one.get("ExcludeManagementEventSources", [])} - {source})
    management = {
        "ReadWriteType": "All",
        "IncludeManagementEvents": True,
        "DataResources": [],
        "ExcludeManagementEventSources": excluded,
    }
    kept = [each for each in selectors if each.get("DataResources")]
    return [*kept, management] if len(kept) < _MOST_BASIC else []
