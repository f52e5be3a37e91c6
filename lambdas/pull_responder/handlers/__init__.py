"""The handlers of the deployed functions, one module each: read the event, call the responder, return the answer."""

import gc
import logging

# Imports make no garbage that is worth looking for. Each handler's module turns this on again when all is imported: see
# `freeze_imports` in garbage.py.
gc.disable()

# At DEBUG the SDK logs whole answers, among them the credentials of assumed roles, and urllib3 the URLs. Lambda's
# runtime sets the root logger to the function's log level. These loggers do not follow it.
for _name in ("botocore", "boto3", "urllib3", "s3transfer"):
    logging.getLogger(_name).setLevel(logging.INFO)
