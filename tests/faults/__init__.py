"""The fault campaign: every call to AWS fails once and for ten minutes, in every way, and the functions die at each.

`make faults` runs it (docs/faults.md). `test_campaign.py` is the sample of it that each test run makes.
"""
