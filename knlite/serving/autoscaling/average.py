"""Time-weighted averages of a level that goes up and down: how many requests run at once.

Source: Knative reference §2.4 (``Σ(level·dt) / Σdt``); knative/serving
``pkg/http/stats`` (request statistics).
"""

from knlite.serving.instance import Sample


class ConcurrencyMeter:
    """Follows how many requests of one revision are held or running; O(1) for each of them.

    A request that runs from a to b adds b − a to the area below the level. So it is enough to add
    the ends, to take off the beginnings, and to count who has not ended yet as ending when asked.
    """

    __slots__ = ("_begun", "_requests", "_since", "current", "last")

    def __init__(self, now: float) -> None:
        self.current = 0
        """Requests held or running."""
        self.last = Sample(0.0, 0.0)
        """The sample that was taken last."""
        self._since = now
        self._begun = 0.0
        """The sum of beginnings less that of ends, since the last sample."""
        self._requests = 0

    def begin(self, now: float) -> None:
        """A request arrives."""
        self.current += 1
        self._requests += 1
        self._begun += now

    def end(self, now: float) -> None:
        """A request is over."""
        self.current -= 1
        self._begun -= now

    def sample(self, now: float) -> Sample:
        """The averages since the last sample, which this one starts anew."""
        seconds = now - self._since
        if seconds <= 0:
            return Sample(float(self.current), float(self._requests))
        # Rounding must not show a trace of load, or of less than none, where there was none.
        area = max(0.0, self.current * now - self._begun)
        self.last = Sample(area / seconds, self._requests / seconds)
        self._begun, self._requests, self._since = self.current * now, 0, now
        return self.last
