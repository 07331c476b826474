"""The only reader of the environment. ``HUB_*`` names, and the reference project's names as aliases."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated

from pydantic import AliasChoices, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from hub.errors import SettingsWrong


class DeploymentMode(StrEnum):
    SINGLE = "single"
    MULTI = "multi"


class OutputMode(StrEnum):
    JSON = "JSON"
    TEXT = "text"


def _names(hub: str, *others: str) -> AliasChoices:
    return AliasChoices(hub, *others)


class Settings(BaseSettings):
    """Everything a hub can be told. Frozen; built once at the edge and handed down."""

    # Rust's regular expressions take 50 times longer to compile, at every start.
    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", populate_by_name=True, regex_engine="python-re"
    )

    deployment_mode: DeploymentMode = Field(
        DeploymentMode.SINGLE,
        validation_alias=_names("HUB_DEPLOYMENT_MODE", "ACCOUNT_MODE"),
        description="single: only the hub's own account is acted on; multi: every account of the organization",
    )
    role_name: str = Field(
        "Dome9CloudBots",
        validation_alias=_names("HUB_ROLE_NAME", "CROSS_ACCOUNT_ROLE_NAME"),
        pattern=r"^[A-Za-z0-9_+=,.@-]{1,64}\Z",
        description="name of the spoke role in every account",
    )
    external_id: str = Field(
        "",
        validation_alias=_names("HUB_EXTERNAL_ID"),
        max_length=1224,
        pattern=r"^([A-Za-z0-9_+=,.@:/-]{2,})?\Z",
        description="ExternalId the spoke roles' trust policies ask for",
    )
    own_account_by_role: bool = Field(
        False,
        validation_alias=_names("HUB_OWN_ACCOUNT_BY_ROLE"),
        description="enter the hub's own account through a spoke role too, instead of with the hub's credentials",
    )
    narrow_sessions: bool = Field(
        True,
        validation_alias=_names("HUB_NARROW_SESSIONS"),
        description="give each role session a session policy of only what its bot declares and guards read",
    )
    accounts: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        validation_alias=_names("HUB_ACCOUNTS"),
        description="account ids the hub may enter, comma separated; empty: all active ones AWS Organizations lists",
    )
    optional_bots: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        validation_alias=_names("HUB_OPTIONAL_BOTS"),
        description="names of optional bots that may run, comma separated; the others are refused",
    )
    bots_folder: str = Field(
        "",
        validation_alias=_names("HUB_BOTS_FOLDER"),
        description="folder with bots of your own, a Python file each; empty: none",
    )
    rules: str = Field(
        "",
        validation_alias=_names("HUB_RULES"),
        description="where the remediation rules are: a path, s3://BUCKET/KEY or ssm:/NAME; "
        "empty: what findings name runs, but dangerous bots wait for a person",
    )
    dry_run: bool = Field(
        False,
        validation_alias=_names("HUB_DRY_RUN"),
        description="look and report, change nothing",
    )
    report_topic_arn: str = Field(
        "",
        validation_alias=_names("HUB_REPORT_TOPIC_ARN", "SNS_TOPIC_ARN"),
        description="SNS topic reports are published to; empty: none",
    )
    output_mode: OutputMode = Field(
        OutputMode.JSON,
        validation_alias=_names("HUB_OUTPUT_MODE", "OUTPUT_TYPE"),
        description="form of the report: JSON or text",
    )
    feedback_hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (),
        validation_alias=_names("HUB_FEEDBACK_HOSTS"),
        description="host names the CloudGuard feedback call may go to, comma separated; empty: the call is off",
    )
    feedback_seconds: float = Field(
        5.0,
        gt=0,
        le=60,
        validation_alias=_names("HUB_FEEDBACK_SECONDS"),
        description="time limit of one feedback call",
    )
    queue_url: str = Field(
        "", validation_alias=_names("HUB_QUEUE_URL"), description="SQS queue `hub work` consumes"
    )
    journal: str = Field(
        "sqlite:hub-journal.sqlite",
        validation_alias=_names("HUB_JOURNAL"),
        pattern=r"^(dynamodb:[A-Za-z0-9_.-]{3,255}|sqlite:.+|memory)\Z",
        description="where runs are kept: dynamodb:TABLE, sqlite:FILE or memory",
    )
    journal_days: int = Field(
        400, ge=1, validation_alias=_names("HUB_JOURNAL_DAYS"), description="days the journal keeps a run"
    )
    region: str = Field(
        "us-east-1",
        validation_alias=_names("HUB_REGION", "AWS_REGION", "AWS_DEFAULT_REGION"),
        description="region of the hub's own resources",
    )
    concurrency: int = Field(
        64,
        ge=1,
        le=1000,
        validation_alias=_names("HUB_CONCURRENCY"),
        description="findings settled at the same time by one worker",
    )
    calls_per_second: int = Field(
        20,
        ge=1,
        le=1000,
        validation_alias=_names("HUB_CALLS_PER_SECOND"),
        description="reading calls a second per account, region and service or API; AWS's figures hold where lower",
    )
    patience_seconds: float = Field(
        1800.0,
        ge=0,
        le=43200,
        validation_alias=_names("HUB_PATIENCE_SECONDS"),
        description="how long a bot may wait for AWS (a log that lags, an instance that stops) before it has failed",
    )
    lease_seconds: float = Field(
        60.0,
        ge=1,
        le=3600,
        validation_alias=_names("HUB_LEASE_SECONDS"),
        description="how long a dead worker keeps a finding from the others",
    )
    metrics_namespace: str = Field(
        "",
        max_length=255,
        pattern=r"^[A-Za-z0-9_ ./#:-]*\Z",
        validation_alias=_names("HUB_METRICS_NAMESPACE"),
        description="CloudWatch namespace of the metrics that are written into the log; empty: none",
    )
    grace_seconds: float = Field(
        25.0,
        ge=0,
        le=3600,
        validation_alias=_names("HUB_GRACE_SECONDS"),
        description="how long a worker finishes what is at hand when told to stop; its host must wait longer",
    )
    proof_seconds: float = Field(
        15.0,
        ge=0,
        le=300,
        validation_alias=_names("HUB_PROOF_SECONDS"),
        description="how long to wait for AWS to show a fix before it counts as unproven",
    )
    log_level: str = Field(
        "INFO",
        validation_alias=_names("HUB_LOG_LEVEL"),
        pattern=r"^(DEBUG|INFO|WARNING|ERROR)\Z",
        description="how much is logged",
    )

    @field_validator("accounts", "feedback_hosts", "optional_bots", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("accounts")
    @classmethod
    def _are_accounts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for account in value:
            if not re.fullmatch(r"\d{12}", account):
                raise ValueError(f"{account!r} is not a 12-digit account id")
        return value

    @field_validator("output_mode", mode="before")
    @classmethod
    def _any_case(cls, value: object) -> object:
        # The reference treats everything but exactly "JSON" as text.
        if isinstance(value, str):
            return "JSON" if value.upper() == "JSON" else "text"
        return value

    @field_validator("deployment_mode", "log_level", mode="before")
    @classmethod
    def _case(cls, value: object, info: object) -> object:
        if isinstance(value, str):
            return value.upper() if getattr(info, "field_name", "") == "log_level" else value.lower()
        return value

    @classmethod
    def load(cls, **given: object) -> Settings:
        """From the environment, ``given`` winning.

        Raises:
            SettingsWrong: a value does not fit; the text names the variable and what is allowed.
        """
        try:
            return cls(**given)  # type: ignore[arg-type]
        except ValidationError as error:
            lines = [f"{_called(problem['loc'][0])}: {problem['msg']}" for problem in error.errors()]
            raise SettingsWrong("; ".join(lines)) from None


def variables(field: str) -> tuple[str, ...]:
    """The environment variables a field is read from, the hub's own name first."""
    alias = Settings.model_fields[field].validation_alias
    assert isinstance(alias, AliasChoices)
    return tuple(str(choice) for choice in alias.choices)


def _called(location: object) -> str:
    for field in Settings.model_fields:
        names = variables(field)
        if location in (field, *names):
            return names[0] + (f" (or {' or '.join(names[1:])})" if names[1:] else "")
    return str(location)
