"""The trigger `manual`: a deployment happens when a person asks for one, by `tinyforge deploy`, and never else."""

from pydantic import BaseModel, ConfigDict

from tinyforge.plugin import PLUGIN_API, DeploymentIntent, InboundEvent, Seen, Skipped

_EVENT = "manual"


class ManualConfig(BaseModel):
    """Nothing can be set."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ManualTrigger:
    """Turns a person's wish into an intent."""

    api = PLUGIN_API
    config = ManualConfig

    async def check(self, seen: Seen[ManualConfig]) -> DeploymentIntent | None:
        """Want nothing by itself."""
        return None

    async def receive(self, seen: Seen[ManualConfig], event: InboundEvent) -> DeploymentIntent | Skipped:
        """Want what a person asks for; the intent has the event's id, so a wish that is told twice is one deployment."""
        if event.kind != _EVENT:
            return Skipped(reason="NotManual", message="the trigger manual is for people: ask by `tinyforge deploy`")
        return DeploymentIntent(id=event.id, reason="somebody asked for it by `tinyforge deploy`")
