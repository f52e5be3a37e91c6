"""The CDK app that `cdk synth` and `cdk deploy` run. Its settings are in cdk.json, in `context.pullResponder`."""

from __future__ import annotations

import sys

import aws_cdk as cdk

from infra.permissions import PermissionsError
from infra.scanner_answers import add_scanners
from infra.settings import Settings, SettingsError
from infra.stack import PullResponderStack


def main() -> int:
    """Synthesize, and return the exit status: 2 when a setting is invalid or a permission cannot be granted."""
    app = cdk.App()
    try:
        settings = Settings.from_context(app.node.try_get_context("pullResponder"))
        PullResponderStack(app, "PullResponder", settings=settings)
    except (SettingsError, PermissionsError) as error:
        print(error, file=sys.stderr)  # noqa: T201 -- `cdk synth` shows it in the terminal
        return 2
    add_scanners(app)
    app.synth()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
