"""Systems Manager documents: whom they are shared with, and how that is changed."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

from bots._aws import Aws, AwsError
from bots._bot import CannotFix, TargetGone

DOCUMENT = ("arn:{partition}:ssm:*:{account}:document/*",)
_MOST_AT_ONCE = 20  # accounts AWS takes in a call
_RESERVED = ("aws", "amazon", "amzn")  # no customer's document has such a name

Share = tuple[str, str]  # account, or "All" as AWS spells it; the version that is shared, "" for the default


def is_everybody(account: str) -> bool:
    return account.lower() == "all"


def document_home(aws: Aws, named: str) -> tuple[Aws, str]:
    """The account in the document's region, and the document's name, also when the finding gave its ARN.

    Raises:
        CannotFix: it belongs to AWS or to another account.
    """
    home, name = aws, named
    if name.startswith("arn:"):
        _, _, _, region, owner, rest = (name + ":::::").split(":", 5)
        name = rest.rstrip(":").removeprefix("document/")
        if owner not in ("", aws.account_id):
            raise CannotFix(f"document {name} belongs to account {owner}, not to {aws.account_id}")
        home = aws.at(region or aws.region)
    if name.lower().startswith(_RESERVED):
        raise CannotFix(f"document {name} belongs to AWS, which shares it with everybody")
    return home, name


async def shared_with(home: Aws, name: str) -> tuple[Share, ...]:
    """Whom the document is shared with, sorted.

    Raises:
        TargetGone: no such document.
        CannotFix: another account owns it.
    """
    accounts: list[str] = []
    versions: dict[str, str] = {}
    more: dict[str, str] = {}
    while True:
        try:
            page = await home.call(
                "ssm", "DescribeDocumentPermission", Name=name, PermissionType="Share", **more
            )
        except AwsError as error:
            if error.code == "InvalidDocument":
                raise TargetGone(f"document {name} does not exist in {home.region}") from error
            if error.code == "InvalidDocumentOperation":
                raise CannotFix(
                    f"document {name} is another account's: only its owner can change it"
                ) from error
            raise
        accounts += page.get("AccountIds", ())
        for each in page.get("AccountSharingInfoList", ()):
            versions[each["AccountId"]] = each.get("SharedDocumentVersion", "")
        if not page.get("NextToken"):
            return tuple(sorted((account, versions.get(account, "")) for account in accounts))
        more = {"NextToken": page["NextToken"]}


async def share(home: Aws, name: str, remove: set[str], add: Iterable[Share]) -> None:
    """Take the document from some accounts and give it to others."""
    # First what goes: a document that is public can be shared with nobody else.
    for accounts in _groups(remove):
        await _modify(home, name, AccountIdsToRemove=accounts)
    by_version = sorted(add, key=lambda pair: pair[::-1])
    for version, pairs in itertools.groupby(by_version, key=lambda pair: pair[1]):
        for accounts in _groups({account for account, _ in pairs}):
            which = {"SharedDocumentVersion": version} if version else {}
            await _modify(home, name, AccountIdsToAdd=accounts, **which)


async def _modify(home: Aws, name: str, **what: object) -> None:
    await home.call("ssm", "ModifyDocumentPermission", Name=name, PermissionType="Share", **what)


def _groups(accounts: set[str]) -> Iterator[list[str]]:
    """As AWS takes them in one call: everybody alone, else at most 20."""
    everybody = {account for account in accounts if is_everybody(account)}
    if everybody:
        yield sorted(everybody)
    named = sorted(accounts - everybody)
    for start in range(0, len(named), _MOST_AT_ONCE):
        yield named[start : start + _MOST_AT_ONCE]
