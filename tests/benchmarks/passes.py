"""A pass that has to succeed: a failed one is quick, and would look good in any table."""

from tinyforge.domain.passes import PassOutcome, PassReport
from tinyforge.reconcile.passes import HostPasses


async def successful_pass(passes: HostPasses) -> PassReport:
    """Run a pass and return what it found."""
    report = await passes.run()
    assert report.outcome is not PassOutcome.FAILED, f"{report.reason}: {report.message}"
    return report
