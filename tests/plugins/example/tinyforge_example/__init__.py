"""A source and a trigger as somebody else would write them: all they know of Tinyforge is `tinyforge.plugin`."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from tinyforge.plugin import DeploymentIntent, Failed, InboundEvent, Outcome, Seen, Skipped, Unchanged


class BudgetConfig(BaseModel):
    """How much may run."""

    model_config = ConfigDict(extra="forbid")

    running: Annotated[int, Field(ge=0, description="How many containers may run at once.")]


class BudgetSource:
    """Says so if more containers of a workload run than somebody pays for."""

    api = 1
    config = BudgetConfig

    async def reconcile(self, seen: Seen[BudgetConfig]) -> Outcome:
        """Count."""
        running = sum(container.state == "running" for container in seen.containers)
        if running <= seen.config.running:
            return Unchanged()
        message = f"{running} containers run and the budget is {seen.config.running}: stop some, or raise it"
        return Failed(reason="OverBudget", message=message, retry_after=60)

    async def deploy(self, seen: Seen[BudgetConfig], intent: DeploymentIntent) -> Outcome:
        """Deploy nothing."""
        return Skipped(reason="NothingToDeploy", message="a budget only counts")

    async def teardown(self, seen: Seen[BudgetConfig]) -> Outcome:
        """Take nothing down."""
        return Unchanged()


class DailyConfig(BaseModel):
    """When."""

    model_config = ConfigDict(extra="forbid")

    hour: Annotated[int, Field(ge=0, le=23, description="From which hour on, by UTC.")] = 3


class DailyTrigger:
    """Wants a deployment once a day: the day is the intent's name, so it does not matter how often it is asked."""

    api = 1
    config = DailyConfig

    async def check(self, seen: Seen[DailyConfig]) -> DeploymentIntent | None:
        """Look at the time."""
        if seen.as_of.hour < seen.config.hour:
            return None
        return DeploymentIntent(id=f"daily-{seen.as_of:%Y-%m-%d}", reason=f"it is past {seen.config.hour} o'clock")

    async def receive(self, seen: Seen[DailyConfig], event: InboundEvent) -> DeploymentIntent | Skipped:
        """Listen to nobody."""
        return Skipped(reason="NobodyIsHeard", message="it is the clock alone that asks for this deployment")
