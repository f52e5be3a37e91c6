"""The mutants of a module: its source with one small change, made by mutmut's operators."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from difflib import unified_diff
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Final, cast

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.mutators import mutation_operators, operator_arg_removal, operator_string

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# A change of these changes nothing that runs, or only how an error of ours would show itself.
_NEVER_CALLS: Final = {"cast", "len", "isinstance"}
_NEVER_NAMES: Final = {"__all__", "TYPE_CHECKING"}
# zip(strict=True) guards against an error of ours, and a repr is for those who look for one.
_NEVER_ARGUMENTS: Final = {("zip", "strict"), ("field", "repr")}
_TYPE_ALIAS: Final = re.compile(r"_?[A-Z]\w*[a-z]\w*")
_MAY_BE_NONE: Final = {"None", "Any", "object", "Optional", "Final"}
_MAY_BE_TEXT: Final = {"str", "Any", "object", "Final"}
_COMPOUND: Final = (cst.If, cst.While, cst.For, cst.With, cst.Try, cst.Match, cst.FunctionDef, cst.ClassDef)


@dataclass(frozen=True, slots=True)
class Mutant:
    """A module with one change.

    - `module`: its name, `source` its changed text, `line` where the change is, counted from 1.
    - `lines`: the first and the last line of the statement, or of a block's head, that holds the change.
    - `removed`, `added`: the lines that differ, without the blanks around them.
    - `diff`: the same for people.
    """

    module: str
    path: Path
    source: str
    line: int
    lines: tuple[int, int]
    removed: str
    added: str
    diff: str

    @property
    def key(self) -> tuple[str, str, str]:
        """What names the change for as long as its lines stand, wherever in the module they are."""
        return self.module, self.removed, self.added


@dataclass(frozen=True, slots=True)
class Change:
    """A change that was not made yet: to make them all takes minutes. `old` is a node of `tree`, `new` its stand-in."""

    module: str
    path: Path
    tree: cst.Module
    old: cst.CSTNode
    new: cst.CSTNode
    line: int
    lines: tuple[int, int]

    def made(self) -> Mutant | None:
        """Return the mutant; None if it does not compile or means the same to the compiler."""
        text = _code_of(self.tree)
        source = cast("cst.Module", self.tree.deep_replace(self.old, self.new)).code
        try:
            compile(source, str(self.path), "exec")
        except SyntaxError:
            return None
        if ast.dump(ast.parse(source)) == _meaning_of(text):
            return None
        diff = list(unified_diff(text.splitlines(), source.splitlines(), lineterm="", n=0))[3:]
        removed, added = (" ".join(each[1:].strip() for each in diff if each.startswith(sign)) for sign in "-+")
        return Mutant(self.module, self.path, source, self.line, self.lines, removed, added, "\n".join(diff))


@cache
def _code_of(tree: cst.Module) -> str:
    return tree.code


@cache
def _meaning_of(text: str) -> str:
    return ast.dump(ast.parse(text))


def changes_of(path: Path, module: str) -> list[Change]:
    """Return all changes of the module in the file `path`, in the order of its lines.

    Docstrings, annotations, decorators and imports stay. A string is only marked: its letters' case is not changed by
    itself. Of a call's arguments only those by name are left out: mypy refuses nearly all others, and None in their
    place. It refuses None for a field that is declared to be something else, too.
    """
    wrapper = MetadataWrapper(cst.parse_module(path.read_text(encoding="utf-8")), unsafe_skip_copy=True)
    visitor = _Visitor()
    wrapper.visit(visitor)
    return [Change(module, path, wrapper.module, *found) for found in visitor.changes]


class _Visitor(cst.CSTVisitor):
    METADATA_DEPENDENCIES = (PositionProvider,)

    def __init__(self) -> None:
        super().__init__()
        self.changes: list[tuple[cst.CSTNode, cst.CSTNode, int, tuple[int, int]]] = []
        self._statements: list[tuple[cst.CSTNode, tuple[int, int]]] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        if _means_nothing(node):
            return False
        if isinstance(node, cst.SimpleStatementLine):
            self._statements.append((node, (self._start(node), self._end(node))))
        elif isinstance(node, _COMPOUND):
            body = node.cases[0] if isinstance(node, cst.Match) else node.body
            self._statements.append((node, (self._start(node), max(self._start(node), self._start(body)))))
        if self._statements:
            for new in _changes(node):
                if _is_refused(new):
                    continue
                self.changes.append((node, new, self._start(node), self._statements[-1][1]))
        return True

    def on_leave(self, original_node: cst.CSTNode) -> None:
        if self._statements and self._statements[-1][0] is original_node:
            self._statements.pop()

    def _start(self, node: cst.CSTNode) -> int:
        found = self.get_metadata(PositionProvider, node, None)
        return found.start.line if found else self._statements[-1][1][0]

    def _end(self, node: cst.CSTNode) -> int:
        found = self.get_metadata(PositionProvider, node, None)
        return found.end.line if found else self._start(node)


def _changes(node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    for kind, operator in mutation_operators:
        if operator is operator_arg_removal or not isinstance(node, kind):
            continue
        yield from islice(operator(node), 1 if operator is operator_string else None)
    if isinstance(node, cst.Call):
        for arg in node.args:
            if arg.keyword is not None and not _never_argument(node, arg):
                yield node.with_changes(args=[each for each in node.args if each is not arg])


def _never_argument(call: cst.Call, arg: cst.Arg) -> bool:
    match call.func, arg.keyword:
        case cst.Name(value=function), cst.Name(value=keyword):
            return (function, keyword) in _NEVER_ARGUMENTS
        case _:
            return False


def _is_refused(new: cst.CSTNode) -> bool:
    """Whether mypy refuses it: None or a text for what is declared to be something else."""
    match new:
        case cst.AnnAssign(annotation=cst.Annotation(annotation=declared), value=cst.SimpleString()):
            return _MAY_BE_TEXT.isdisjoint(re.findall(r"\w+", cst.Module([]).code_for_node(declared)))
        case cst.AnnAssign(annotation=cst.Annotation(annotation=declared), value=cst.Name(value="None")):
            return _MAY_BE_NONE.isdisjoint(re.findall(r"\w+", cst.Module([]).code_for_node(declared)))
        case _:
            return False


def _means_nothing(node: cst.CSTNode) -> bool:
    match node:
        case cst.Call(func=cst.Name(value=name)):
            return name in _NEVER_CALLS
        case cst.Arg(keyword=cst.Name(value="strict" | "repr"), value=cst.Name(value="True" | "False")):
            return True
        case cst.Assign(value=cst.Call(func=cst.Name(value="auto" | "TypeVar"))):
            return True  # members by `auto` are told apart by identity, and a type variable is for mypy alone
        case cst.Assign(targets=[cst.AssignTarget(target=cst.Name(value=name))], value=value):
            return name in _NEVER_NAMES or _is_type_alias(name, value)
        case (
            cst.Annotation()
            | cst.Decorator()
            | cst.Import()
            | cst.ImportFrom()
            | cst.Expr(value=cst.SimpleString() | cst.ConcatenatedString())
            | cst.If(test=cst.Name(value="TYPE_CHECKING"))
        ):
            return True
        case _:
            return False


def _is_type_alias(name: str, value: cst.BaseExpression) -> bool:
    """Whether the name stands for a type, which only mypy reads: Truth = bool | None."""
    is_type = isinstance(value, cst.Subscript) or (
        isinstance(value, cst.BinaryOperation) and isinstance(value.operator, cst.BitOr)
    )
    return is_type and _TYPE_ALIAS.fullmatch(name) is not None
