"""How much an endpoint may ask for without getting anything done: two rules against floods.

Requests that are begun and reset at once cost work and never count as open ("rapid reset",
CVE-2023-44487); so do those that are made to be reset by us. And frames that carry nothing (PING,
SETTINGS, PRIORITY, WINDOW_UPDATE, empty DATA) cost as much to read as those that do.

Source: RFC 9113 §10.5 (denial of service). No I/O here; *now* in seconds.
"""

RESETS = 200
"""Reset streams within a span that are always borne; above, no more than answers complete."""
IDLE_FRAMES = 5000
"""Frames within a span that carry nothing, without any that does between them. A reader that takes
a window in small pieces may send a thousand."""
SPAN_SECONDS = 10.0


class Patience:
    """Counts what the other side does. What is not borne is answered ENHANCE_YOUR_CALM."""

    __slots__ = ("_answers", "_frames", "_frames_since", "_resets", "_resets_since")

    def __init__(self) -> None:
        self._resets = 0
        self._answers = 0
        self._resets_since = 0.0
        self._frames = 0
        self._frames_since = 0.0

    def bears_reset(self, now: float) -> bool:
        """Count a stream that was reset by, or because of, the other side."""
        self._roll(now)
        self._resets += 1
        return self._resets <= RESETS or self._resets <= self._answers

    def bears_idle_frame(self, now: float) -> bool:
        """Count a frame that carries nothing."""
        if now - self._frames_since > SPAN_SECONDS:
            self._frames_since = now
            self._frames = 0
        self._frames += 1
        return self._frames <= IDLE_FRAMES

    def answered(self, now: float) -> None:
        """Count an answer that is complete."""
        self._roll(now)
        self._answers += 1

    def moved(self) -> None:
        """Something has been carried, in either direction."""
        self._frames = 0

    def _roll(self, now: float) -> None:
        if now - self._resets_since > SPAN_SECONDS:
            self._resets_since = now
            self._resets = self._answers = 0
