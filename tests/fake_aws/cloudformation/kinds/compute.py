"""Functions, and what feeds them."""

from __future__ import annotations

from tests.fake_aws.cloudformation.kind import Kind, Properties, as_call, tags, without


class Function(Kind):
    TYPE, NAMED_BY = "AWS::Lambda::Function", "FunctionName"
    ATTRIBUTES = frozenset({"Arn"})
    _APART = ("ReservedConcurrentExecutions", "Tags")

    def make(self, properties: Properties) -> None:
        client = self.api("lambda")
        asked = {**without(properties, *self._APART), "FunctionName": self.name, "Tags": tags(properties)}
        self.attributes["Arn"] = client.create_function(**as_call(client, "CreateFunction", asked))[
            "FunctionArn"
        ]
        self._reserve({}, properties)

    def _reserve(self, before: Properties, after: Properties) -> None:
        name = "ReservedConcurrentExecutions"
        if before.get(name) == after.get(name):
            return
        if name in after:
            self.api("lambda").put_function_concurrency(
                FunctionName=self.name, ReservedConcurrentExecutions=int(after[name])
            )
        else:
            self.api("lambda").delete_function_concurrency(FunctionName=self.name)

    def change(self, before: Properties, after: Properties) -> None:
        client = self.api("lambda")
        code = ("Code", "Architectures")
        if any(before.get(name) != after.get(name) for name in code):
            more = {"Architectures": after["Architectures"]} if "Architectures" in after else {}
            client.update_function_code(FunctionName=self.name, **after["Code"], **more)
        asked = {**without(after, *self._APART, *code), "FunctionName": self.name}
        client.update_function_configuration(**as_call(client, "UpdateFunctionConfiguration", asked))
        self._reserve(before, after)

    def remove(self, properties: Properties) -> None:
        self.api("lambda").delete_function(FunctionName=self.name)


class EventSourceMapping(Kind):
    TYPE = "AWS::Lambda::EventSourceMapping"
    ATTRIBUTES = frozenset({"Id", "EventSourceMappingArn"})

    def make(self, properties: Properties) -> None:
        client = self.api("lambda")
        asked = as_call(client, "CreateEventSourceMapping", without(properties, "Tags"))
        made = client.create_event_source_mapping(**asked)
        self.physical_resource_id = self.attributes["Id"] = made["UUID"]
        self.attributes["EventSourceMappingArn"] = made.get("EventSourceMappingArn", "")

    def change(self, before: Properties, after: Properties) -> None:
        client = self.api("lambda")
        asked = {**without(after, "EventSourceArn", "Tags"), "UUID": self.physical_resource_id}
        client.update_event_source_mapping(**as_call(client, "UpdateEventSourceMapping", asked))

    def remove(self, properties: Properties) -> None:
        self.api("lambda").delete_event_source_mapping(UUID=self.physical_resource_id)


class Permission(Kind):
    """Whatever changes of one takes a new one."""

    TYPE = "AWS::Lambda::Permission"

    def make(self, properties: Properties) -> None:
        self.physical_resource_id = self.name
        self.api("lambda").add_permission(**properties, StatementId=self.name)

    def remove(self, properties: Properties) -> None:
        self.api("lambda").remove_permission(FunctionName=properties["FunctionName"], StatementId=self.name)
