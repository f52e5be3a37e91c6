"""The CDK app: `cdk synth`, `cdk deploy`. Its settings are in cdk.json under "context"."""

from __future__ import annotations

import sys

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks

from infra.permissions import PermissionsError
from infra.settings import Settings, SettingsError
from infra.stack import PullResponderStack


def main() -> int:
    """Synthesize, and return the exit status: 2 when a setting or a permission cannot be used."""
    app = cdk.App()
    try:
        settings = Settings.from_context(app.node.try_get_context("pullResponder"))
        PullResponderStack(app, "PullResponder", settings=settings)
    except (SettingsError, PermissionsError) as unusable:
        print(unusable, file=sys.stderr)  # noqa: T201 -- the terminal is where `cdk synth` says what is wrong
        return 2
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))
    app.synth()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
