"""ECR."""

from __future__ import annotations

import json

from moto.ecr.models import ecr_backends

from tests.fake_aws.wire import Answer, Call


def before(call: Call) -> Answer | None:
    """AWS keeps an image that an index lists and says so among the failures of a success. moto looks into no
    index; a test names the digests in ``listed_by_an_index`` of the backend."""
    if call.operation != "BatchDeleteImage":
        return None
    listed = getattr(ecr_backends[call.account_id][call.region], "listed_by_an_index", ())
    failures = [
        {
            "imageId": image,
            "failureCode": "ImageReferencedByManifestList",
            "failureReason": "Requested image referenced by manifest list",
        }
        for image in call.params["imageIds"]
        if image.get("imageDigest") in listed
    ]
    if not failures:
        return None
    found = {"imageIds": [], "failures": failures}
    return Answer(200, (("Content-Type", "application/x-amz-json-1.1"),), json.dumps(found).encode())
