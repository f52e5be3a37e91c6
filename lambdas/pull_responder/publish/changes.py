"""What has changed, for mail and chat alike: what grew, how it ended, and who changed the resource.

Each function takes `say`, as in `telling`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from pull_responder.findings.breaking_calls import calls_behind
from pull_responder.findings.clock import minute
from pull_responder.findings.flapping import IT_FLAPS
from pull_responder.findings.notice import AS_FOUND_THEN, IT_GREW, IT_WAS_RESOLVED, Edge
from pull_responder.findings.problem import seconds_of
from pull_responder.model.arn import Arn
from pull_responder.publish.attributes import UNKNOWN
from pull_responder.publish.text import last_name, resource_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from pull_responder.findings.alert import Alert
    from pull_responder.findings.deed import Deed
    from pull_responder.findings.finding import Finding
    from pull_responder.findings.notice import Notice

    Say = Callable[[str, int], str]

_FLAPS: Final = "Flapping: silence does not mean that it is fixed."
# The id of an event in the words of a deed, which are stored with the finding.
_WAS_RESOLVED: Final = re.compile(rf"{IT_WAS_RESOLVED} (?P<at>\d{{4}}-\d\d-\d\d \d\d:\d\d UTC)(?:{AS_FOUND_THEN})?: ")
_EVENT: Final = re.compile(r" \(event [\w-]{1,64}\)")

_NAME: Final = 100
_FIELD: Final = 600
_SENTENCE: Final = 1_500


def time_words(text: str, say: Say) -> str:
    """Return a time of ISO 8601 to the minute; what is none, as it is."""
    seconds = seconds_of(text)
    return minute(seconds) if seconds is not None else say(text, _NAME)


def after_fix(alert: Alert, say: Say) -> list[str]:
    """Return what people have to know once they have done what is asked: of what came back, how, and what undoes it."""
    if alert.edge is not Edge.BACK:
        return []
    return [f"{_again(alert, say)}. {undone(alert, say)}", *([_FLAPS] if flaps(alert) else [])]


def grown(alert: Alert, say: Say) -> list[str]:
    """Return what has got worse, a sentence each: "Since the last notification: from 12 to 240 pods."."""
    if alert.edge is not Edge.WORSE:
        return []
    said = (say(without_ids(each.because).removeprefix(IT_GREW).strip(), _SENTENCE) for each in alert.notices)
    return [f"{IT_GREW} {each}" for each in dict.fromkeys(said) if each]


def undone(alert: Alert, say: Say) -> str:
    """Return what may undo the fix of what came back: who did so before, or where to look for who did.

    That is CloudTrail, with the calls that can have broken it.
    """
    worst = alert.worst
    if worst.broken_by:
        return f"{_who(worst.broken_by, worst.finding, say)} may undo this again: fix it there, too."
    calls = calls_behind(worst.finding)[:2]
    name = say(last_name(resource_name(worst.finding.resource.id)), _NAME) or UNKNOWN
    if not calls:
        return "It may break again: find out what undoes the fix, and stop that."
    return f"It may break again: find in CloudTrail who calls {' or '.join(calls)} on {name}, and stop that."


def _again(alert: Alert, say: Say) -> str:
    """Return when and by whom it was fixed and broken again, without the full stop."""
    worst, now = alert.worst, alert.at
    fixed, broke = deeds_before_end(alert.notices)[-1:], worst.broken_by
    was = _WAS_RESOLVED.match(worst.because)
    if fixed:
        first = f"Fixed {_clock(fixed[0].at, now, say)} by {_who(fixed[0], worst.finding, say)}"
    else:
        first = f"Resolved {_clock(was['at'].replace(' UTC', 'Z'), now, say)}" if was else "It was resolved"
    if broke is None:
        return f"{first}; broken again since {_clock(alert.since, now, say)}"
    by = f"{_who(broke, worst.finding, say)} ({say(broke.what, _FIELD)})"
    return f"{first}; broken again {_clock(broke.at, now, say)} by {by}"


def _clock(text: str, now: str, say: Say) -> str:
    """Return a time to the minute, without the date if it is that of `now`."""
    said, today = time_words(text, say), time_words(now, say).partition(" ")[0]
    return said.removeprefix(f"{today} ")


def what_changed(alert: Alert, say: Say, limit: int) -> list[str]:
    """Return what has changed: when it had been resolved, and who changed the resource before it broke.

    What grew stands in line 1, and who broke again what came back behind what to do.
    """
    said = reasons(alert, say, limit) if alert.edge is not Edge.WORSE else []
    return [*said, *broke(alert, say)]


def that_it_flaps(alert: Alert, say: Say, limit: int) -> list[str]:
    """Return what the reasons of an alert say of flapping: how often it came back, and what people will hear."""
    said = (each.partition(IT_FLAPS)[2] for each in reasons(alert, say, limit) if alert.edge is not Edge.WORSE)
    return [f"{IT_FLAPS}{words}" for words in said if words]


def flaps(alert: Alert) -> bool:
    """Return whether what is told of breaks and is resolved again and again."""
    return alert.edge is not Edge.RESOLVED and any(IT_FLAPS in each.because for each in alert.notices)


def grown_in_short(alert: Alert, say: Say) -> str:
    """Return what has grown, without the words that say since when; empty if nothing has."""
    because = alert.worst.because if alert.edge is Edge.WORSE else ""
    words = say(because.removeprefix(IT_GREW).strip(), _FIELD)
    return words[:1].upper() + words[1:]


def after_fix_in_short(alert: Alert, say: Say) -> list[list[str]]:
    """Return `after_fix` in few words, the most important first, each in one form or in a longer and a shorter one."""
    if alert.edge is not Edge.BACK:
        return []
    brief = [] if alert.worst.broken_by else ["It may break again: find in CloudTrail what undoes the fix."]
    return [*([[_FLAPS]] if flaps(alert) else []), [undone(alert, say), *brief]]


def fixed_by(alert: Alert, say: Say) -> list[str]:
    """Return who changed the resources right before they were resolved, a line for each call."""
    finding = alert.worst.finding
    return [f"Changed before it was resolved: {_dated(each, finding, say)}" for each in deeds_before_end(alert.notices)]


def deeds_before_end(notices: Sequence[Notice]) -> list[Deed]:
    """Return the changes of the resources right before they were resolved, each once."""
    return list(dict.fromkeys(deed for each in notices for deed in _told_of(each)))


def short_deed(deed: Deed, finding: Finding, say: Say, *, brief: bool = False) -> str:
    """Return what was done and by whom in few words, as "AttachRolePolicy of PullOnly by admin/jo".

    With `brief`, without the policy.
    """
    return f"{say(deed.call if brief else deed.what, _FIELD)} by {_who(deed, finding, say)}"


def _who(deed: Deed, finding: Finding, say: Say) -> str:
    """Return who made a call by its short name. An account is named only if it is not that of the resource."""
    arn = Arn.parse(deed.by)
    who = arn.resource.removeprefix("assumed-role/") if arn else deed.by
    foreign = f" of account {arn.account}" if arn and arn.account != finding.account else ""
    return say(f"{who}{foreign}", _NAME) or UNKNOWN


def event_ids(notice: Notice, say: Say) -> list[str]:
    """Return the ids of CloudTrail's events that the message tells of, for who looks them up, and by whom, a line each.

    Above, who made the call has a short name.
    """
    deeds = [*filter(None, [notice.broken_by]), *_told_of(notice)]
    lines = []
    for each in deeds:
        event = f"CloudTrail event: {say(each.event_id, _NAME)}, by " if each.event_id else "Changed by: "
        lines.append(f"{event}{say(each.by, _FIELD)}")
    return lines


def reasons(alert: Alert, say: Say, limit: int) -> list[str]:
    """Return the reasons of the notices, each once: what grew, or when it had been resolved. Without events' ids."""
    because = (say(without_ids(each.because), limit) for each in alert.notices if each.because)
    return [each for each in dict.fromkeys(because) if each]


def without_ids(because: str) -> str:
    """Return the reason of a notice without the ids of CloudTrail's events."""
    return _EVENT.sub("", because)


def changes_unread(notice: Notice, say: Say) -> Iterator[str]:
    """Yield why it is not known who changed the resource before it broke, if that is to be told."""
    if notice.changes_unread and not notice.broken_by and notice.edge is not Edge.RESOLVED:
        yield f"Who changed it is not known: {say(notice.changes_unread, _FIELD)}"


def broke(alert: Alert, say: Say) -> list[str]:
    """Return who changed the resource before it broke, a line for each call; of what came back, `after_fix` says it."""
    if alert.edge is Edge.BACK:
        return []
    finding = alert.worst.finding
    deeds = dict.fromkeys(each.broken_by for each in alert.notices if each.broken_by)
    return [f"Changed before it broke: {_dated(each, finding, say)}" for each in deeds]


def _dated(deed: Deed, finding: Finding, say: Say) -> str:
    return f"{short_deed(deed, finding, say)}, {time_words(deed.at, say)}"


def _told_of(notice: Notice) -> list[Deed]:
    """Return the calls that the sentence about the end tells of. Others have nothing to do with it."""
    return [each for each in notice.fixed_by if each.words in notice.because]


def how_it_ended(notice: Notice) -> str:
    """Return the sentence that says how a finding ended, without the calls that `findings.ending` appended."""
    because = notice.because
    for deed in notice.fixed_by:
        for words in (f"; {deed.words} at {deed.at}", f"; {deed.words}"):
            because = because.replace(words, "")
    return because
