"""Fixes as data: what to change, the commands that change it, and the AWS page about it. No AWS calls, no clock."""
