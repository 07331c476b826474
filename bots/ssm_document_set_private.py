"""Share a Systems Manager document with the given accounts only, with nobody unless some are given.

After: neither the public nor any other account can see or run the document; given accounts can.
Caution: automations and associations of accounts that lose the document fail. An undo cannot make a
document public again where the account blocks public sharing.
Finding: ssm_document_set_private AccountIdToAdd=222233334444
Finding: ssm_document_set_private AccountIdToAdd=222233334444,111122223333
"""

from typing import Annotated

from pydantic import Field

from bots._aws import Aws
from bots._bot import Before, Bot, Check, Params, Risk, Target, Undo, entity, on
from bots._documents import DOCUMENT, Share, document_home, is_everybody, share, shared_with
from bots._sentences import some
from bots._words import Word


class Wish(Params):
    account_id_to_add: Annotated[
        tuple[Annotated[str, Field(pattern=r"^[0-9]{12}$")], ...],
        Field(description="accounts the document stays or gets shared with"),
        Word(aliases=("account_ids_to_add",), rest=True),
    ] = ()


class Sharing(Before):
    name: str
    region: str
    accounts: tuple[Share, ...]


bot = Bot(
    name="ssm_document_set_private",
    acts_on="AWS::SSM::Document",
    target=entity("name", "id"),
    params=Wish,
    before=Sharing,
    reads=on(DOCUMENT, "ssm:DescribeDocumentPermission"),
    writes=on(DOCUMENT, "ssm:ModifyDocumentPermission"),
    risk=Risk.ACCESS_REMOVAL,
    undo=Undo.exact(),
)


@bot.check
async def check(aws: Aws, target: Target, params: Wish) -> Check[Sharing]:
    home, name = document_home(aws, target.id)
    shared = await shared_with(home, name)
    wanted = set(params.account_id_to_add) - {aws.account_id}
    has = {account for account, _ in shared}
    named = some("everybody" if is_everybody(account) else account for account in sorted(has, reverse=True))
    return Check(
        compliant=has == wanted,
        before=Sharing(name=name, region=home.region, accounts=shared),
        why=f"document {name} is shared with {named or 'nobody'}",
        region=home.region,
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: Wish, before: Sharing) -> None:
    wanted = set(params.account_id_to_add) - {aws.account_id}
    has = {account for account, _ in before.accounts}
    await share(aws.at(before.region), before.name, has - wanted, {(each, "") for each in wanted - has})


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Sharing) -> None:
    home = aws.at(before.region)
    has, had = set(await shared_with(home, before.name)), set(before.accounts)
    await share(home, before.name, {account for account, _ in has - had}, had - has)
