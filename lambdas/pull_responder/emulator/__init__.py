"""An emulated AWS on this machine, for the demo and the tests: moto for Security Hub, ministack for all else.

`python -m pull_responder.emulator` serves ministack alone. `emulated_aws.emulated_aws` starts and stops both. Both
packages are development requirements and are not deployed.
"""
