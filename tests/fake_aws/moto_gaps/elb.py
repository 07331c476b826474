"""Classic load balancers."""

from __future__ import annotations

from moto.elb.models import elb_backends

from tests.fake_aws.moto_gaps import s3
from tests.fake_aws.wire import Answer, Call, refusal


def before(call: Call) -> Answer | None:
    if call.operation == "DescribeLoadBalancerAttributes":
        # moto stumbles over a name it does not know.
        name = call.params["LoadBalancerName"]
        if name not in elb_backends[call.account_id][call.region].load_balancers:
            text = f"There is no ACTIVE Load Balancer named '{name}'"
            return refusal(call, "LoadBalancerNotFound", text, status=400)
    if call.operation != "ModifyLoadBalancerAttributes":
        return None
    # moto stores any access log; AWS writes a test file first.
    log = call.params["LoadBalancerAttributes"].get("AccessLog", {})
    name = log.get("S3BucketName", "")
    if log.get("Enabled") and not s3.lets_in(name, "logdelivery.elasticloadbalancing.amazonaws.com"):
        return refusal(call, "InvalidConfigurationRequest", f"Access Denied for bucket: {name}", status=409)
    return None
