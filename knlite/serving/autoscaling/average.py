"""Time-weighted averages of a level that goes up and down: how many requests run at once.

Source: Knative reference §2.4 (``Σ(level·dt) / Σdt``); knative/serving
``pkg/http/stats`` (request statistics).
"""

from knlite.serving.instance import Sample


class ConcurrencyMeter:
    """Follows how many requests of one revision are held or running; O(1) for each of them."""

    __slots__ = ("_area", "_changed", "_requests", "_since", "current")

    def __init__(self, now: float) -> None:
        self.current = 0
        """Requests held or running."""
        self._area = 0.0
        self._since = now
        self._changed = now
        self._requests = 0

    def begin(self, now: float) -> None:
        """A request arrives."""
        self._advance(now)
        self.current += 1
        self._requests += 1

    def end(self, now: float) -> None:
        """A request is over."""
        self._advance(now)
        self.current -= 1

    def sample(self, now: float) -> Sample:
        """The averages since the last sample, which this one starts anew."""
        self._advance(now)
        seconds = now - self._since
        if seconds <= 0:
            return Sample(float(self.current), float(self._requests))
        sample = Sample(self._area / seconds, self._requests / seconds)
        self._area, self._requests, self._since = 0.0, 0, now
        return sample

    def _advance(self, now: float) -> None:
        if now > self._changed:
            self._area += self.current * (now - self._changed)
            self._changed = now
