"""A CloudFormation that says what a test tells it to: for what only AWS itself does."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from deploy.calls import Patience


class Told:
    """A CloudFormation client that gives prepared answers and writes down what it was asked."""

    def __init__(self, **answers: list[Any]) -> None:
        self.answers = answers
        self.asked: list[tuple[str, Mapping[str, Any]]] = []

    def __getattr__(self, operation: str) -> Any:
        async def call(**request: Any) -> Any:
            return self._answer(operation, request)

        return call

    def _answer(self, operation: str, request: Mapping[str, Any]) -> Any:
        self.asked.append((operation, request))
        waiting = self.answers[operation]
        answer = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    def get_paginator(self, operation: str) -> Any:
        told = self

        class Pages:
            async def paginate(self, **request: Any) -> AsyncIterator[Any]:
                for page in told._answer(operation, request):
                    yield page

        return Pages()

    def requests(self, operation: str) -> list[Mapping[str, Any]]:
        return [request for name, request in self.asked if name == operation]


def refused(code: str, message: str, operation: str = "DescribeStacks") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


def event(resource: str, status: str, reason: str = "", *, number: int = 0) -> dict[str, str]:
    """An event of a stack. Events of one answer need different numbers only where they are the same."""
    return {
        "EventId": f"{resource}-{status}-{number}",
        "LogicalResourceId": resource,
        "ResourceType": "AWS::Some::Thing",
        "ResourceStatus": status,
        "ResourceStatusReason": reason,
    }


def stack(status: str, **outputs: str) -> dict[str, Any]:
    """An answer of DescribeStacks."""
    listed = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]
    return {"Stacks": [{"StackId": "arn:hub", "StackName": "hub", "StackStatus": status, "Outputs": listed}]}


NO_STACK = refused("ValidationError", "Stack with id hub does not exist")


class ToldAws:
    """Clients that say what a test tells them to, of account 111122223333."""

    region = "eu-west-1"
    patience = Patience(wait=5.0, poll=0.0)

    def __init__(self, **clients: Told) -> None:
        self._clients = clients

    async def client(self, service: str) -> Told:
        return self._clients[service]

    async def account_id(self) -> str:
        return "111122223333"
