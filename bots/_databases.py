"""An RDS instance and the security groups it wears."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bots._aws import Aws
from bots._bot import CannotFix, Target, TargetGone, on

DATABASE = ("arn:{partition}:rds:*:{account}:db:*",)
READS = on(DATABASE, "rds:DescribeDBInstances")
WRITES = on(DATABASE, "rds:ModifyDBInstance")
RESOURCE_ID = "regionInstance"  # of the finding's entity: an id that is never used again, unlike the name

Found = Mapping[str, Any]


async def find_database(aws: Aws, target: Target) -> dict[str, Any]:
    """
    Raises:
        TargetGone: it does not exist, is being deleted, or another one has its name now.
    """
    answer = await aws.find(
        "rds", "DescribeDBInstances", absent=("DBInstanceNotFound",), DBInstanceIdentifier=target.id
    )
    if answer is None or not answer["DBInstances"]:
        raise TargetGone(f"DB instance {target.id} does not exist in {aws.region}")
    found: dict[str, Any] = answer["DBInstances"][0]
    seen = str(target.entity.get(RESOURCE_ID) or "")
    if seen.startswith("db-") and seen != found["DbiResourceId"]:
        raise TargetGone(f"DB instance {seen} of the finding is gone; another one is called {target.id} now")
    if found["DBInstanceStatus"] == "deleting":
        raise TargetGone(f"DB instance {target.id} is being deleted")
    return found


def refuse_unchangeable(target: Target, database: Found) -> None:
    """
    Raises:
        CannotFix: RDS would not change the groups of this one.
    """
    if cluster := database.get("DBClusterIdentifier"):
        raise CannotFix(
            f"{target.id} is a member of cluster {cluster}, and RDS knows groups only of the cluster as a whole: "
            "change the cluster's by hand if all its members are to be cut off"
        )
    if database["Engine"].startswith("custom-"):
        raise CannotFix(f"{target.id} is of RDS Custom, whose groups RDS does not change")
    if database["DBInstanceStatus"] in ("stopping", "stopped"):
        raise CannotFix(f"{target.id} is stopped: RDS changes running ones only, and nothing reaches it now")


def groups_of(database: Found) -> tuple[str, ...]:
    """Ids of the groups it has or is about to get."""
    found = database["VpcSecurityGroups"]
    return tuple(sorted(each["VpcSecurityGroupId"] for each in found if each["Status"] != "removing"))


def is_settled(database: Found) -> bool:
    """Whether RDS is not exchanging its groups just now."""
    return all(each["Status"] == "active" for each in database["VpcSecurityGroups"])


async def wear(aws: Aws, target: Target, groups: tuple[str, ...]) -> dict[str, Any] | None:
    """Give it these groups and no others: the instance as it is then, None if RDS cannot change it now.

    Groups change at once anyway. ApplyImmediately would also bring on what else waits for the
    maintenance window, and perhaps a restart with it.
    """
    answer = await aws.find(
        "rds",
        "ModifyDBInstance",
        absent=("InvalidDBInstanceState",),
        DBInstanceIdentifier=target.id,
        VpcSecurityGroupIds=list(groups),
    )
    return None if answer is None else answer["DBInstance"]
