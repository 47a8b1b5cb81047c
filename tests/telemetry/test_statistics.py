"""What became of spans, in numbers that never contradict each other."""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tinyforge.telemetry.statistics import TraceStatistics

CAPACITY = 5


class Spans(RuleBasedStateMachine):
    """Spans that end and leave in any order, beside a plain count of them."""

    def __init__(self) -> None:
        super().__init__()
        self.statistics = TraceStatistics()
        self.ended = self.waiting = 0

    @rule()
    def end(self) -> None:
        """One ends."""
        let_in = self.statistics.enter(CAPACITY)
        assert let_in == (self.waiting < CAPACITY)
        self.ended += 1
        self.waiting += let_in

    @precondition(lambda self: self.waiting)
    @rule(data=st.data(), taken=st.booleans())
    def export(self, data: st.DataObject, taken: bool) -> None:
        """Some are exported, or are not taken."""
        some = data.draw(st.integers(1, self.waiting))
        exported, failures = self.statistics.exported, self.statistics.failures
        (self.statistics.take if taken else self.statistics.fail)(some)
        assert (self.statistics.exported - exported, self.statistics.failures - failures) == ((some, 0) if taken else (0, 1))
        self.waiting -= some

    @rule()
    def give_up(self) -> None:
        """What waits is given up."""
        assert self.statistics.give_up() == self.waiting
        self.waiting = 0

    @invariant()
    def each_span_is_somewhere(self) -> None:
        """Each that ended is exported, dropped, or waits."""
        assert self.statistics.queued == self.waiting <= CAPACITY
        assert self.statistics.exported + self.statistics.dropped + self.statistics.queued == self.ended


TestSpans = Spans.TestCase
