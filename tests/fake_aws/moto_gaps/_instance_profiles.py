"""EC2's associations of instances with instance profiles."""

from __future__ import annotations

from moto.ec2.models import ec2_backends
from moto.iam.models import iam_backends
from moto.utilities.utils import get_partition

from tests.fake_aws.wire import Answer, Call, refusal


def before(call: Call) -> Answer | None:
    """moto associates instances in any state, and finds profiles that the call does not name exactly."""
    if call.operation != "AssociateIamInstanceProfile":
        return None
    wanted = call.params["IamInstanceProfile"]
    if len(wanted) != 1:
        text = "The parameter 'iamInstanceProfile.name' may not be used in combination with 'iamInstanceProfile.arn'"
        return refusal(call, "InvalidParameterCombination", text, status=400)
    profiles = iam_backends[call.account_id][get_partition(call.region)].instance_profiles.values()
    if not any(wanted in ({"Arn": each.arn}, {"Name": each.name}) for each in profiles):
        text = f"Value ({next(iter(wanted.values()))}) for parameter iamInstanceProfile is invalid."
        return refusal(call, "InvalidParameterValue", text, status=400)
    instances = ec2_backends[call.account_id][call.region].all_instances()
    state = next((i._state.name for i in instances if i.id == call.params["InstanceId"]), "running")
    if state not in ("running", "stopped"):
        text = f"The instance '{call.params['InstanceId']}' is not in the 'running' or 'stopped' states."
        return refusal(call, "IncorrectState", text, status=400)
    return None


def instance_of(account_id: str, region: str, association_id: str) -> str | None:
    """The instance of an association."""
    known = ec2_backends[account_id][region].iam_instance_profile_associations
    return next((one for one, each in known.items() if each.association_id == association_id), None)
