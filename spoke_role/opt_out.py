"""The tag that keeps the role off a resource, as far as IAM can express it.

IAM compares the tags of a resource (``aws:ResourceTag``) only for actions and kinds of resources that the
Service Authorization Reference lists with that key. An S3 bucket's tags count only where attribute-based access
control has been switched on for that bucket. For all the rest the hub alone honours the tag, in findings that
carry it (`hub.guards.opted_out`).
"""

from __future__ import annotations

from collections.abc import Iterable

from bots._bot import AnyBot
from bots._grants import PASS_ROLE
from spoke_role.documents import Document, packed
from spoke_role.tags import OPT_OUT_TAG, OPT_OUT_VALUE

# Writes of bots for which the Service Authorization Reference has no aws:ResourceTag: they are about the whole
# account, or about things that cannot be tagged or are not compared.
UNTAGGED = frozenset({
    "config:DeleteDeliveryChannel", "config:PutDeliveryChannel",
    "iam:AddUserToGroup", "iam:AttachGroupPolicy", "iam:DeleteGroupPolicy", "iam:DetachGroupPolicy",
    "iam:PutGroupPolicy", "iam:RemoveUserFromGroup", "iam:DeleteAccountPasswordPolicy",
    "iam:UpdateAccountPasswordPolicy", "iam:GenerateCredentialReport",
    "kms:CreateKey",
    "logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:PutResourcePolicy", "logs:UpdateLogDelivery",
    "route53domains:DisableDomainAutoRenew", "route53domains:DisableDomainTransferLock",
    "route53domains:EnableDomainAutoRenew", "route53domains:EnableDomainTransferLock",
    # It has the key, but IAM's guide on tagging says not to rely on it for the role that is passed.
    PASS_ROLE,
})  # fmt: skip


def opted_out(bots: Iterable[AnyBot]) -> tuple[Document, ...]:
    """Denies the bots' writes to resources with the tag, and setting or taking away the tag itself.

    Reads stay open: the hub has to look at a resource to report about it.
    """
    writes = {action for bot in bots for action in bot.writes}
    about = f"aws:ResourceTag/{OPT_OUT_TAG}"
    return packed([
        {
            "Sid": "NotTheTagItself",
            "Effect": "Deny",
            "Action": ["*"],
            "Resource": ["*"],
            "Condition": {"ForAnyValue:StringEqualsIgnoreCase": {"aws:TagKeys": [OPT_OUT_TAG]}},
        },
        {
            "Sid": "NotWhatIsOptedOut",
            "Effect": "Deny",
            "Action": sorted(writes - UNTAGGED),
            "Resource": ["*"],
            "Condition": {"StringEqualsIgnoreCase": {about: [OPT_OUT_VALUE]}},
        },
    ])  # fmt: skip
