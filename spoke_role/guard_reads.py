"""What the hub's guards read in an account, whatever the bot.

Wanted, never needed: a role without these rights is as fit for its bots as any, and the guards go by what
the finding says instead.
"""

from __future__ import annotations

from bots._grants import EVERYTHING, Grant

GUARD_READS = (
    # Who changed a resource last, and the tags of nearly every kind. AWS narrows neither.
    Grant(("cloudtrail:LookupEvents", "tag:GetResources"), EVERYTHING),
    # Of these the tagging API says nothing, or nothing to somebody who does not know the region.
    Grant(("iam:ListRoleTags",), ("arn:{partition}:iam::{account}:role/*",)),
    Grant(("iam:ListUserTags",), ("arn:{partition}:iam::{account}:user/*",)),
    Grant(("s3:GetBucketTagging",), ("arn:{partition}:s3:::*",)),
)
GUARD_ACTIONS = tuple(action for grant in GUARD_READS for action in grant.actions)
