"""Serve the patched ministack. Its settings are ministack's environment variables (GATEWAY_PORT, AUTH, ...)."""

from __future__ import annotations

import os
import sys
from importlib import import_module


def main() -> int:
    """Serve until stopped. Listens on the loopback interface only, unless BIND_HOST names another address.

    The servers of ministack that have a port of their own, for SFTP and for MQTT, listen on all interfaces. They are
    off unless the environment says otherwise.
    """
    os.environ.setdefault("BIND_HOST", "127.0.0.1")
    os.environ.setdefault("SFTP_ENABLED", "0")
    os.environ.setdefault("IOT_MTLS_ENABLED", "0")
    # The variable is for the functions, whose folders it keeps clean. This server starts many times.
    sys.dont_write_bytecode = False
    try:
        import_module("pull_responder.emulator.patches").apply()
        import_module("pull_responder.emulator.mail").apply()
        import_module("pull_responder.emulator.organization").apply()
        import_module("pull_responder.emulator.template_conditions").apply()
        import_module("pull_responder.emulator.route53_profiles").apply_to_ministack()
        serve = import_module("ministack.app").main
    except ModuleNotFoundError as missing:
        print(f"the emulator needs {missing.name}: pip install -r requirements.txt", file=sys.stderr)  # noqa: T201 -- a command line
        return 2
    serve()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
