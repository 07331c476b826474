"""What the stacks are called unless somebody says otherwise."""

HUB_STACK = "remediation-hub"
STACK_SET = "remediation-hub-spokes"
# Where a plain stack takes the place of one of the StackSet's.
PLAIN_STACK = "remediation-hub-spoke"
ARCHIVE_STACK = "remediation-hub-archive"
