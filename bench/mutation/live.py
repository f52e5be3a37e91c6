"""A changed function put in place of the one that was imported, so that nothing has to be imported anew."""

from __future__ import annotations

import gc
from collections import Counter
from types import CodeType, FunctionType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bench.mutation.mutants import Mutant

Key = tuple[str, str, int]
Replacement = tuple[FunctionType, CodeType]

_OF_FUNCTION = 0x2  # CO_NEWLOCALS and not the body of a module or a class, "inspect" in Python's documentation


def live_functions(folder: str) -> dict[Key, list[FunctionType]]:
    """Return all functions in memory whose source is in `folder`, by their file, qualified name and first line."""
    found: dict[Key, list[FunctionType]] = {}
    gc.unfreeze()  # what is frozen would not be listed
    for each in gc.get_objects():
        if isinstance(each, FunctionType) and each.__code__.co_filename.startswith(folder):
            found.setdefault(_key(each.__code__), []).append(each)
    gc.freeze()
    return found


def replacements(mutant: Mutant, functions: Mapping[Key, list[FunctionType]]) -> list[Replacement] | None:
    """Return which functions get which code to become the mutant.

    None if that is not enough: what runs at import differs, or no such function is in memory. What was worked out
    before from the old function stays as it was, so that only a test that fails proves something.
    """
    # A function that another one made before the change keeps the code that it had, so that one is changed, too.
    old = compile(mutant.path.read_text(encoding="utf-8"), str(mutant.path), "exec", dont_inherit=True)
    new = compile(mutant.source, str(mutant.path), "exec", dont_inherit=True)
    pairs, keys = _changed(old, new), Counter(_keys(old))
    if not pairs or any(keys[_key(before)] > 1 for before, _ in pairs):
        return None
    found = list[Replacement]()
    for before, after in pairs:
        live = [each for each in functions.get(_key(before), ()) if each.__code__ == before]
        if not live or before.co_freevars != after.co_freevars:
            return None
        found += [(each, after) for each in live]
        for inner, other in _changed_inside(before, after):
            made = [each for each in functions.get(_key(inner), ()) if each.__code__ == inner]
            if made and inner.co_freevars != other.co_freevars:
                return None
            found += [(each, other) for each in made]
    return found


def _key(code: CodeType) -> Key:
    return code.co_filename, code.co_qualname, code.co_firstlineno


def _keys(code: CodeType) -> Iterator[Key]:
    for each in _inner(code):
        yield _key(each)
        yield from _keys(each)


def _changed(old: CodeType, new: CodeType) -> list[tuple[CodeType, CodeType]] | None:
    """Return the functions that differ, as they are and as they will be; None if what runs at import differs."""
    if _at_import(old) != _at_import(new):
        return None
    found = list[tuple[CodeType, CodeType]]()
    for before, after in zip(_inner(old), _inner(new), strict=True):
        if before == after:
            continue
        if before.co_flags & _OF_FUNCTION:
            found.append((before, after))
            continue
        of_class = _changed(before, after)
        if of_class is None:
            return None
        found += of_class
    return found


def _changed_inside(old: CodeType, new: CodeType) -> Iterator[tuple[CodeType, CodeType]]:
    """Yield the functions inside a function that differ, as they are and as they will be."""
    for before, after in zip(_inner(old), _inner(new), strict=False):
        if before != after and _key(before)[1] == _key(after)[1]:
            yield before, after
            yield from _changed_inside(before, after)


def _at_import(code: CodeType) -> tuple[bytes, tuple[str, ...], list[str]]:
    # As text, since 1 and True are equal. Code stands for the code in its place.
    constants = ["code" if isinstance(each, CodeType) else repr(each) for each in code.co_consts]
    return code.co_code, code.co_names, constants


def _inner(code: CodeType) -> Iterator[CodeType]:
    return (each for each in code.co_consts if isinstance(each, CodeType))
