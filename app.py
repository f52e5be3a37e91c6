"""The CDK app that `cdk synth` and `cdk deploy` run. infra/setting_sources.py says where its settings come from."""

from __future__ import annotations

import sys
from pathlib import Path

import aws_cdk as cdk

from infra.permissions import PermissionsError
from infra.scanner_answers import add_scanners
from infra.setting_checks import SettingsError
from infra.setting_sources import read_settings
from infra.stack import PullResponderStack


def main() -> int:
    """Synthesize, and return the exit status: 2 when a setting is invalid or a permission cannot be granted."""
    app = cdk.App()
    try:
        # The CDK command line runs an app in the folder with cdk.json.
        settings = read_settings(app.node.get_all_context(), Path.cwd())
        PullResponderStack(app, "PullResponder", settings=settings)
    except (SettingsError, PermissionsError) as error:
        print(error, file=sys.stderr)  # noqa: T201 -- `cdk synth` shows it in the terminal
        return 2
    add_scanners(app)
    app.synth()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
