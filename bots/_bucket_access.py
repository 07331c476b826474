"""Who gets at a bucket and by which way: its policy, its ACL, its website endpoint."""

from __future__ import annotations

from functools import partial
from typing import Any

from bots._all_or_none import Change, make
from bots._aws import Aws, together
from bots._bot import Before, CannotFix
from bots._policies import deleted_principals
from bots._s3 import LOG_DELIVERY_GROUP, NO_POLICY, OwnBucket

NO_WEBSITE = ("NoSuchWebsiteConfiguration",)
_NO_OWNERSHIP = ("OwnershipControlsNotFoundError",)
_LARGEST_POLICY = 20 * 1024  # bytes
_FULL = "FULL_CONTROL"
# Who delivers logs by grants of the ACL: access logs, and CloudFront in the partitions aws and aws-cn.
_LOG_WRITERS = {
    LOG_DELIVERY_GROUP: "S3 access logs",
    "c4c1ede66af53448b93c283ce9448c4ba468c9432aa01d700d3878632f77d2d0": "CloudFront logs",
    "a52cb28745c0c06e84ec548334e44bfa7fc2a85c54af20cd59e4969344b7af56": "CloudFront logs",
}

Grant = tuple[str, str]  # canonical id or URI of a group, permission


class Acl(Before):
    """A bucket's ACL. Grants are sorted: their order means nothing."""

    owner: str  # canonical id
    grants: tuple[Grant, ...]
    in_force: bool  # not with Object Ownership "bucket owner enforced", when no ACL counts or can be set

    @property
    def to_others(self) -> tuple[Grant, ...]:
        """What is granted besides full control to the owner, if it counts."""
        mine = (self.owner, _FULL)
        return tuple(grant for grant in self.grants if grant != mine) if self.in_force else ()

    @property
    def alone(self) -> Acl:
        """The same with the owner's full control only."""
        return self.model_copy(update={"grants": ((self.owner, _FULL),)})

    def refuse_log_writers(self, name: str) -> None:
        """
        Raises:
            CannotFix: logs are delivered into the bucket because of a grant.
        """
        logs = sorted({_LOG_WRITERS[who] for who, _ in self.to_others if who in _LOG_WRITERS})
        if logs:
            raise CannotFix(
                f"the ACL of bucket {name} lets {' and '.join(logs)} be delivered, which would stop: allow the "
                "delivery in the bucket policy, or send the logs elsewhere, and take those grants away first"
            )


async def read_acl(home: Aws, bucket: dict[str, str]) -> Acl:
    found, ownership = await together(
        home.call("s3", "GetBucketAcl", **bucket),
        home.find("s3", "GetBucketOwnershipControls", absent=_NO_OWNERSHIP, **bucket),
    )
    rules = ownership["OwnershipControls"]["Rules"] if ownership else []
    grants = [(_grantee(each["Grantee"]), each["Permission"]) for each in found.get("Grants", ())]
    return Acl(
        owner=found["Owner"]["ID"],
        grants=tuple(sorted(grants)),
        in_force=all(rule["ObjectOwnership"] != "BucketOwnerEnforced" for rule in rules),
    )


async def put_acl(home: Aws, bucket: dict[str, str], acl: Acl) -> None:
    grants = [
        {
            "Grantee": {"Type": "Group", "URI": who} if "/" in who else {"Type": "CanonicalUser", "ID": who},
            "Permission": permission,
        }
        for who, permission in acl.grants
    ]
    await home.call(
        "s3", "PutBucketAcl", AccessControlPolicy={"Owner": {"ID": acl.owner}, "Grants": grants}, **bucket
    )


def _grantee(found: dict[str, Any]) -> str:
    # An address somebody once granted by e-mail comes back as a canonical id, too.
    return str(found.get("ID") or found["URI"])


async def put_policy(home: Aws, bucket: dict[str, str], document: str | None) -> None:
    """Make this the bucket's policy; None: it has none."""
    if document is None:
        await home.call("s3", "DeleteBucketPolicy", **bucket)
    else:
        await home.call("s3", "PutBucketPolicy", Policy=document, **bucket)


async def change_access(
    home: Aws, bucket: dict[str, str], was: tuple[str | None, Acl], wanted: tuple[str | None, Acl]
) -> None:
    """Change both policy and ACL or nothing: the ACL first, because it can be put back by the same right."""
    (old_policy, old_acl), (policy, acl) = was, wanted
    changes = []
    if old_acl.to_others != acl.to_others:
        changes.append(Change(partial(put_acl, home, bucket, acl), partial(put_acl, home, bucket, old_acl)))
    if old_policy != policy:
        put = partial(put_policy, home, bucket)
        changes.append(Change(partial(put, policy), partial(put, old_policy)))
    await make(changes)


def refuse_unstorable(name: str, document: str) -> None:
    """
    Raises:
        CannotFix: S3 would not take the policy; the text says why.
    """
    if (size := len(document.encode())) > _LARGEST_POLICY:
        raise CannotFix(
            f"the policy of bucket {name} would have {size} bytes, more than the {_LARGEST_POLICY} that S3 takes: "
            "shorten it first"
        )
    if gone := deleted_principals(document):
        raise CannotFix(
            f"the policy of bucket {name} names users or roles that were deleted ({', '.join(gone)}), and S3 takes "
            "no policy that does: take them out first"
        )


async def read_website(home: Aws, bucket: OwnBucket) -> dict[str, Any] | None:
    """The bucket's website as S3 serves it; None: it serves none."""
    return await home.find("s3", "GetBucketWebsite", absent=NO_WEBSITE, **bucket)


async def audience_notes(home: Aws, bucket: dict[str, str]) -> tuple[str, ...]:
    """Whom it may hit when the public or plain HTTP is shut out."""
    website, status = await together(
        read_website(home, bucket),
        home.find("s3", "GetBucketPolicyStatus", absent=NO_POLICY, **bucket),
    )
    notes = []
    if website is not None:
        notes.append("the bucket serves a website, and website endpoints know nothing but public, plain HTTP")
    if status is not None and status["PolicyStatus"].get("IsPublic"):
        notes.append(
            "S3 calls the bucket's policy public: readers who sign nothing, or of other accounts, may rely on it"
        )
    return tuple(notes)
