"""CloudWatch."""

from __future__ import annotations

from xml.etree import ElementTree as ET

from tests.fake_aws.wire import Answer, Call, with_body, xml_of


def after(call: Call, answer: Answer) -> Answer:
    """moto answers DescribeAlarms with everything; AWS in pages of at most 100 alarms, 50 unless told."""
    if call.operation != "DescribeAlarms":
        return answer
    root, space = xml_of(answer)
    lists = [found for kind in ("Metric", "Composite") for found in root.iter(f"{space}{kind}Alarms")]
    everything = [(parent, alarm) for parent in lists for alarm in parent]
    start = int(call.params.get("NextToken") or 0)
    end = start + min(int(call.params.get("MaxRecords") or 50), 100)
    for parent, alarm in everything[:start] + everything[end:]:
        parent.remove(alarm)
    if end < len(everything):
        ET.SubElement(root[0], f"{space}NextToken").text = str(end)
    return with_body(answer, root)
