"""Application, network and gateway load balancers."""

from __future__ import annotations

from moto.elbv2.models import elbv2_backends

from tests.fake_aws.moto_gaps import s3
from tests.fake_aws.wire import Answer, Call, refusal

_SERVICES = {
    "application": "logdelivery.elasticloadbalancing.amazonaws.com",
    "network": "delivery.logs.amazonaws.com",
}


def before(call: Call) -> Answer | None:
    if call.operation != "ModifyLoadBalancerAttributes":
        return None
    # moto stores any access log; AWS writes a test file first.
    asked = {each["Key"]: each.get("Value", "") for each in call.params["Attributes"]}
    balancer = elbv2_backends[call.account_id][call.region].load_balancers.get(call.params["LoadBalancerArn"])
    if balancer is None or asked.get("access_logs.s3.enabled") != "true":
        return None
    name = asked.get("access_logs.s3.bucket", "")
    if s3.lets_in(name, _SERVICES[balancer.type]):
        return None
    return refusal(call, "InvalidConfigurationRequest", f"Access Denied for bucket: {name}", status=400)
