"""Where the settings of `cdk synth` and `cdk deploy` come from.

Of a setting that stands in several places, the last counts:

1. cdk.json, `context.pullResponder`: the defaults, and what the repository tracks
2. pull-responder.json beside it, which is not tracked, or the file that `-c settings=FILE` names
3. `-c pullResponder='{...}'`
4. `-c pullResponder.KEY=VALUE`

Each value is checked, also one that does not count.
"""

from __future__ import annotations

import difflib
import errno
import json
import stat
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Final

from infra.context_keys import right_form
from infra.setting_checks import SettingsError, excerpt
from infra.settings import Settings, camel_case, check_together

if TYPE_CHECKING:
    from pathlib import Path


_KEY: Final = "pullResponder"
_FILE_KEY: Final = "settings"
_FILE: Final = "pull-responder.json"
_COMMAND_LINE: Final = "cdk -c: "
_LONGEST: Final = 80
_LONGEST_PATH: Final = 300
_FIELDS: Final = {camel_case(each.name): each for each in fields(Settings)}


@dataclass(frozen=True, slots=True)
class _Layer:
    """Settings from one place, by their keys. `prefix` is what messages write before a key.

    `as_text`: the values are texts of a command line.
    """

    prefix: str
    values: Mapping[str, object]
    as_text: bool = False


def read_settings(context: Mapping[str, object], folder: Path) -> Settings:
    """Return the settings for the context that the CDK command line passes on.

    `folder` is the one with cdk.json. Raises SettingsError, whose message is one line that says where the fault is.
    """
    layers = [
        *_tracked(context.get(_KEY)),
        *_from_file(context.get(_FILE_KEY), folder),
        *_from_command_line(context),
    ]
    values: dict[str, Any] = {each.name: getattr(Settings(), each.name) for each in fields(Settings)}
    places = {each.name: f"cdk.json: {_KEY}.{key}" for key, each in _FIELDS.items()}
    for layer in layers:
        for key, value in layer.values.items():
            place = f"{layer.prefix}{key}"
            if key not in _FIELDS:
                raise SettingsError(f"{layer.prefix}{_shown(key)} is not a setting; {_advice(key)}")
            name, check = _FIELDS[key].name, _FIELDS[key].metadata["check"]
            values[name] = _from_text(check, place, value) if layer.as_text else check(place, value)
            places[name] = place
    check_together(values, places.__getitem__)
    return Settings(**values)


def _tracked(value: object) -> list[_Layer]:
    """Return what stands in cdk.json. A text is of the command line, and replaces what cdk.json has."""
    if value is None or isinstance(value, str):
        return []
    return [_Layer(f"cdk.json: {_KEY}.", _object(f"cdk.json: {_KEY}", value))]


def _from_file(name: object, folder: Path) -> list[_Layer]:
    """Return what stands in the file. The one that nobody named need not be there."""
    if name is not None and not (isinstance(name, str) and name):
        raise SettingsError(f"{_COMMAND_LINE}{_FILE_KEY} must be the name of a file, not {excerpt(name)}")
    shown = _FILE if name is None else _shown(str(name), _LONGEST_PATH)
    place = shown if name is None else f"{_COMMAND_LINE}{_FILE_KEY}={shown}"
    path = folder / (_FILE if name is None else str(name))
    try:
        text = _content(path).decode("utf-8-sig")
    except FileNotFoundError:
        if path.is_symlink():
            raise SettingsError(f"{place}: is a symbolic link to a file that is not there") from None
        if name is None:
            return []
        raise SettingsError(f"{place}: there is no such file") from None
    except OSError as unreadable:
        raise SettingsError(f"{place}: cannot be read: {unreadable.strerror}") from None
    except UnicodeDecodeError as unreadable:
        raise SettingsError(f"{shown}: is not UTF-8 at byte {unreadable.start}") from None
    except ValueError:
        raise SettingsError(f"{place}: no file can have this name") from None
    if not text.strip():
        raise SettingsError(f"{shown}: is empty; without any setting it has to be {{}}")
    return [_Layer(f"{shown}: ", _object(shown, _parse(shown, text)))]


def _content(path: Path) -> bytes:
    """Return what a file holds. Raises OSError, and ValueError for what cannot be a path."""
    mode = path.stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        # A pipe would be waited for, and a device may have no end.
        raise OSError(errno.EINVAL, "Is a pipe or a device")
    return path.read_bytes()


def _from_command_line(context: Mapping[str, object]) -> list[_Layer]:
    layers = []
    whole = context.get(_KEY)
    if isinstance(whole, str):
        place = f"{_COMMAND_LINE}{_KEY}"
        layers.append(_Layer(f"{place}.", _object(place, _parse(place, whole))))
    single = {key.removeprefix(f"{_KEY}."): value for key, value in context.items() if key.startswith(f"{_KEY}.")}
    layers.append(_Layer(f"{_COMMAND_LINE}{_KEY}.", single, as_text=True))
    # A setting without its prefix, or with another, would change nothing, and nobody would see that. Keys of one word,
    # such as `vpc`, may be somebody else's: the context also has what stands in ~/.cdk.json.
    for key, value in context.items():
        right = f"{_KEY}.{key}" if key in _FIELDS and key != key.lower() else right_form(key, value, _FIELDS)
        if right:
            raise SettingsError(f"{_COMMAND_LINE}{_shown(key)} is to be written as {right}")
    return layers


def _object(place: str, value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise SettingsError(f"{place} must be an object of settings, not {excerpt(value)}")
    return value


def _parse(place: str, text: str) -> object:
    """Return the value of a JSON text. Raises SettingsError with line and column where it is none."""
    try:
        return json.loads(text, object_pairs_hook=lambda pairs: _once(place, pairs))
    except json.JSONDecodeError as wrong:
        raise SettingsError(f"{place}: line {wrong.lineno}, column {wrong.colno}: {wrong.msg}") from None
    except (ValueError, RecursionError):
        raise SettingsError(f"{place}: has a number that is too long, or is nested too deeply") from None


def _once(place: str, pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return an object. JSON takes the last of two values of one key, and says nothing."""
    found: dict[str, object] = {}
    for key, value in pairs:
        if key in found:
            raise SettingsError(f"{place}: {excerpt(key)} stands there twice")
        found[key] = value
    return found


def _from_text(check: Any, place: str, value: object) -> object:  # noqa: ANN401 -- a check of Settings
    """Return a setting for what stands after KEY= in a command line: JSON, or a text without quotes."""
    if not isinstance(value, str):
        return check(place, value)
    if value in {"null", "true", "false"} or value[:1] in {"[", "{", '"'}:
        return check(place, _parse(place, value))
    try:
        return check(place, value)
    except SettingsError:
        try:
            number = json.loads(value)
        except (ValueError, RecursionError):
            number = value
        return check(place, number)


def _shown(text: str, longest: int = _LONGEST) -> str:
    return text if text.isprintable() and len(text) <= longest else excerpt(text)


def _advice(key: str) -> str:
    """Return the setting that is nearest to a key that is none; where none is near, all of them."""
    plain = {known.lower(): known for known in _FIELDS}
    # What stands after a dot is a part of a setting, which has no key of its own.
    near = difflib.get_close_matches(key.partition(".")[0].replace("_", "").lower()[:_LONGEST], plain, n=1)
    return f"the nearest is {plain[near[0]]}" if near else f"the settings are {', '.join(_FIELDS)}"
