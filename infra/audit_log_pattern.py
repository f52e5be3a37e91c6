"""Which records of an EKS audit log are delivered to the function that reads them."""

from __future__ import annotations

from typing import Final

# Matches records that contain one of these words. The function drops the records that contain one by coincidence.
# Source of the limits: CloudWatch Logs User Guide, "Filter pattern syntax".
# - A JSON pattern can select an element of an array only by its index, so this is a pattern of terms.
# - Terms with "?" can be joined by OR only.
# - A log group can have at most five patterns with regular expressions, so this uses none.
FILTER_PATTERN: Final = (
    "?ErrImagePull ?ImagePullBackOff ?InvalidImageName ?RegistryUnavailable ?SignatureValidationFailed"
)
