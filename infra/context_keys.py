"""Keys of the CDK context that are meant for Pull Responder and are not written as it reads them.

CDK passes every key on and says nothing about one that nobody reads. So a setting with a slip in its prefix would keep
its default without a word.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping
from typing import Final

_KEY: Final = "pullResponder"
_FILE_KEY: Final = "settings"
_WORD: Final = _KEY.lower()
_SEPARATOR: Final = re.compile(r"[.:/]+")
_NO_LETTER: Final = re.compile(r"[^a-z0-9]")
# CDK's own keys: feature flags, options, and what it looked up, such as `ssm:account=1:parameterName=/a/b:region=c`. No
# key of a command line has a `=`.
_OF_CDK: Final = re.compile(r"@|aws-cdk:|aws:|cdk[-:]|availability-zones:|[^=]*=")
# A letter too few, too many or another has 0.92 or more; `imagePullResponder` has 0.84, and `pullResponse` 0.88.
_NEAR: Final = 0.9
_LONGEST: Final = 80


def right_form(key: str, value: object, settings: Collection[str]) -> str | None:
    """Return the key that somebody meant who wrote `key`, or None where the key is right or is not ours.

    - `value`: what the context has for the key
    - `settings`: the names of the settings in the context, such as `logLevel`
    """
    if key in {_KEY, _FILE_KEY} or key.startswith(f"{_KEY}.") or _OF_CDK.match(key) or len(key) > _LONGEST:
        return None
    names = {_plain(each): f"{_KEY}.{each}" for each in settings} | {_FILE_KEY: _FILE_KEY}
    joined = _plain(key)
    if joined.startswith(_WORD) and (name := names.get(joined.removeprefix(_WORD))):
        return name
    head, *rest = map(_plain, _SEPARATOR.split(key))
    if not _is_near(head):
        return None
    # `PullResponder:pullResponder.logLevel`: the name of the stack, and then the key.
    while rest and _is_near(rest[0]):
        rest.pop(0)
    if not rest:
        return _KEY if head == _WORD or _is_object(value) else None
    if head == _WORD:
        near = difflib.get_close_matches(rest[0], names, n=1)
        return names[near[0]] if near else None
    return names.get(rest[0])


def _plain(text: str) -> str:
    return _NO_LETTER.sub("", text.lower())


def _is_near(word: str) -> bool:
    return difflib.SequenceMatcher(None, word, _WORD).ratio() >= _NEAR


def _is_object(value: object) -> bool:
    return isinstance(value, Mapping) or (isinstance(value, str) and value.lstrip().startswith("{"))
