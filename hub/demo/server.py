"""``python -m hub.demo.server``: the embedded AWS. Prints its port and serves until its input ends.

A process of its own, so that the hub meets it as it meets AWS: over HTTP and by AWS_ENDPOINT_URL alone.
moto 5.2.5 knows organizations only from the management account; the few changes below make it answer
a delegated administrator as AWS does, tell whose a security group's rules are, and hand out readable account ids.
"""

from __future__ import annotations

import itertools
import logging
import sys
from collections.abc import Iterator

# moto draws a first id for the management account and then throws it away.
FIRST_ACCOUNTS = ("000000000000", "111122223333")
STACKSETS = "member.org.stacksets.cloudformation.amazonaws.com"


def account_ids() -> Iterator[str]:
    """111122223333, 222233334444, 333344445555 ... and plain numbers after the pattern is used up."""
    yield from FIRST_ACCOUNTS
    for digit in range(2, 8):
        yield "".join(str(digit + step) * 4 for step in range(3))
    for number in itertools.count(1):
        yield f"4000{number:08d}"


def let_delegated_administrators_see() -> None:
    """On AWS a delegated administrator lists accounts and deploys StackSets for the whole organization."""
    from moto.cloudformation.models import StackInstances  # noqa: PLC0415 - moto is for the demo only
    from moto.organizations.models import (  # noqa: PLC0415
        FakeDelegatedAdministrator,
        OrganizationsBackend,
        organizations_backends,
    )

    def of_organization(account_id: str, partition: str) -> OrganizationsBackend:
        owner, owner_partition = organizations_backends.master_accounts.get(
            account_id, (account_id, partition)
        )
        return organizations_backends[owner][owner_partition]

    plain_list = OrganizationsBackend.list_accounts

    def list_accounts(self: OrganizationsBackend, *args: object, **options: object) -> object:
        return plain_list(of_organization(self.account_id, self.partition), *args, **options)

    def org_backend(self: StackInstances) -> OrganizationsBackend:
        return of_organization(self.account_id, self.partition)

    FakeDelegatedAdministrator.SUPPORTED_SERVICES.append(STACKSETS)
    OrganizationsBackend.list_accounts = list_accounts
    StackInstances.org_backend = property(org_backend)


def let_rules_say_whose_they_are() -> None:
    """On AWS a security group's rule names the account of its group."""
    from moto.ec2.models.security_groups import SecurityGroupRule  # noqa: PLC0415 - moto is for the demo only

    SecurityGroupRule.group_owner_id = property(lambda rule: rule.ec2_backend.account_id)


def name_accounts_readably() -> None:
    """The documentation's account ids instead of random ones."""
    from moto.organizations import utils  # noqa: PLC0415 - moto is for the demo only

    ids = account_ids()
    utils.make_random_account_id = lambda: next(ids)


def main() -> None:
    """Serve on a free loopback port until standard input is closed, as it is when the parent ends."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 - moto is for the demo only

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    let_delegated_administrators_see()
    let_rules_say_whose_they_are()
    name_accounts_readably()
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    sys.stdin.read()
    server.stop()


if __name__ == "__main__":
    main()
