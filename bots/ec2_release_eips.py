"""Take the Elastic IPs off an instance and give them back to AWS.

After: no interface of the instance has an Elastic IP, and the account no longer has those it had.
Caution: an address that is given back can be another account's the next moment; DNS records and partners'
allow lists that name it then lead to strangers. Where the subnet assigns public addresses, the instance may
get another one at once, which is reported.
"""

from bots import _addresses
from bots._addresses import Address
from bots._aws import Aws
from bots._bot import Before, Bot, Check, NoParams, Risk, Target, Undo, entity
from bots._instances import find_instance


class Addresses(Before):
    addresses: tuple[Address, ...]


bot = Bot(
    name="ec2_release_eips",
    acts_on="AWS::EC2::Instance",
    target=entity("id"),
    params=NoParams,
    before=Addresses,
    reads=("ec2:DescribeInstances", "ec2:DescribeAddresses", "ec2:DescribeAddressesAttribute"),
    writes=_addresses.WRITES,
    risk=Risk.DESTRUCTIVE,
    undo=Undo.nearest(
        "the same addresses come back only while no other account has them, and with other allocation ids",
        expects=lambda was: was,
    ),
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Addresses]:
    instance = await find_instance(aws, target)
    found = await _addresses.addresses_of(aws, instance)
    if found:
        await _addresses.refuse_kept(aws, found)
    left = instance.get("PublicIpAddress")
    return Check(
        compliant=not found,
        before=Addresses(addresses=tuple(_addresses.as_kept(each) for each in found)),
        why=f"instance {target.id} has {', '.join(each['PublicIp'] for each in found) or 'no Elastic IP'}",
        notes=(f"the instance still has the public address {left}, which AWS assigned",)
        if left and not found
        else (),
        touches=tuple(("AWS::EC2::EIP", each["AllocationId"]) for each in found),
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: Addresses) -> None:
    instance = await find_instance(aws, target)
    await _addresses.release(aws, target.id, await _addresses.addresses_of(aws, instance))


@bot.undo_with
async def undo(aws: Aws, target: Target, before: Addresses) -> None:
    await _addresses.recover(aws, before.addresses)
