"""Lambda functions for the tests of the bots that act on them."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

from tests.bots.scene import Planted
from tests.fake_aws.admin import Admin
from tests.fake_aws.moto_gaps._functions import inside

NAME = "resize-images"
MISSING = "never-made"


def _code() -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("app.py", "def handler(event, context): ...")
    return made.getvalue()


CODE = _code()


def plant(admin: Admin, *words: str, region: str = "us-east-1", **made: Any) -> Planted:
    """A function; the finding names it by its ARN."""
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = admin.client("iam").create_role(
        RoleName="images", Path="/apps/", AssumeRolePolicyDocument=document
    )
    found = admin.client("lambda", region).create_function(
        FunctionName=NAME,
        Runtime="python3.13",
        Role=role["Role"]["Arn"],
        Handler="app.handler",
        Code={"ZipFile": CODE},
        **made,
    )
    entity = {"id": found["FunctionArn"], "name": NAME, "type": "Lambda"}
    return Planted(entity=entity, words=words, notes={"region": region})


def missing(admin: Admin, *words: str) -> Planted:
    arn = f"arn:aws:lambda:us-east-1:{admin.account_id}:function:{MISSING}"
    return Planted(entity={"id": arn, "name": MISSING, "type": "Lambda"}, words=words)


def observe(admin: Admin, planted: Planted) -> Any:
    """All there is to know about the function, and about its role."""
    client, iam = admin.client("lambda", planted.notes["region"]), admin.client("iam")
    found = client.get_function_configuration(FunctionName=NAME)
    attached = iam.list_attached_role_policies(RoleName="images")["AttachedPolicies"]
    return {
        "handler": found["Handler"],
        "memory": found["MemorySize"],
        "layers": [layer["Arn"] for layer in found.get("Layers", ())],
        "tracing": found["TracingConfig"]["Mode"],
        "tags": client.list_tags(Resource=found["FunctionArn"])["Tags"],
        "reserved": client.get_function_concurrency(FunctionName=NAME).get("ReservedConcurrentExecutions"),
        "policies": sorted(each["PolicyArn"] for each in attached),
    }


def moto_function(admin: Admin, planted: Planted) -> Any:
    """moto's own function, see `inside`."""
    return inside(admin.account_id, NAME, planted.notes["region"])
