"""Remediation rules: what a YAML file says about which bots may run where. Pure but for `live`, which reads the file.

reading (YAML -> RuleSet, or every mistake) -> matching (which rules a finding meets) -> decide (bots, and why)
"""
