"""A patch for ministack 1.5.33: conditions of CloudFormation templates on the account and region of the stack."""

from __future__ import annotations

from importlib import import_module
from typing import Any, Final

_PACKAGE: Final = "ministack.services.cloudformation"
_NAME: Final = "_evaluate_conditions"
# The modules that have imported the function by its name.
_MODULES: Final = ("changesets", "engine", "handlers", "stacks")


def apply() -> None:
    """Let conditions compare `AWS::AccountId` and `AWS::Region`: ministack takes both for texts.

    What ministack imports when it is called has the patched function, too. Raises AttributeError when ministack no
    longer has the function.
    """
    engine = import_module(f"{_PACKAGE}.engine")
    evaluate = getattr(engine, _NAME)

    def with_pseudo_parameters(template: Any, params: Any) -> Any:  # noqa: ANN401 -- ministack has no types
        known = {"AWS::AccountId": engine.get_account_id(), "AWS::Region": engine.get_region()}
        return evaluate(template, {**params, **{name: {"Value": value} for name, value in known.items()}})

    for name in _MODULES:
        module = import_module(f"{_PACKAGE}.{name}")
        if getattr(module, _NAME) is not evaluate:
            raise AttributeError(f"{_PACKAGE}.{name}: {_NAME} is another function")
        setattr(module, _NAME, with_pseudo_parameters)
