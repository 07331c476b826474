"""Generate the account's credential report.

After: IAM holds a report that is at most four hours old.
Caution: the report names every user and the age of its passwords and keys; whoever may read it learns
that. IAM makes a new one at most every four hours; in large accounts that takes a while.
"""

from datetime import timedelta

from bots._aws import Aws
from bots._bot import Before, Bot, Check, NoParams, Risk, Target, TryLater, Undo, account

FRESH = timedelta(hours=4)
# There is none, it is too old to be read, or it is being written.
NONE_YET = ("ReportNotPresent", "ReportExpired", "ReportInProgress")
ASK_AGAIN_SECONDS = 10


class Report(Before):
    fresh: bool


bot = Bot(
    name="iam_generate_credential_report",
    acts_on="AWS::::Account",
    target=account(),
    params=NoParams,
    before=Report,
    reads=("iam:GetCredentialReport",),
    writes=("iam:GenerateCredentialReport",),
    risk=Risk.ADDITIVE,
    undo=Undo.none("a report changes nothing in the account; the next one replaces it"),
    is_global=True,
)


@bot.check
async def check(aws: Aws, target: Target, params: NoParams) -> Check[Report]:
    age = await _age(aws)
    fresh = age is not None and age <= FRESH
    return Check(
        compliant=fresh,
        before=Report(fresh=fresh),
        why="there is no credential report to read"
        if age is None
        else f"the credential report is {'at most' if fresh else 'more than'} four hours old",
    )


@bot.fix
async def fix(aws: Aws, target: Target, params: NoParams, before: Report) -> None:
    answer = await aws.call("iam", "GenerateCredentialReport")
    if answer["State"] == "COMPLETE":
        return
    age = await _age(aws)
    if age is None or age > FRESH:
        raise TryLater("IAM is writing the credential report", seconds=ASK_AGAIN_SECONDS)


async def _age(aws: Aws) -> timedelta | None:
    """Age of the report; None if there is none. What it says is not looked at."""
    answer = await aws.find("iam", "GetCredentialReport", absent=NONE_YET)
    return None if answer is None else aws.now - answer["GeneratedTime"]
