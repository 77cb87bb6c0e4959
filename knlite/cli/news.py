"""Which facts are told at the terminal, and in which words: what repeats itself is no news."""

from datetime import timedelta

from rich.text import Text

from knlite.cli.render import line_of, ready_now
from knlite.cli.repeats import Repeats
from knlite.cli.restarts import Restarts
from knlite.facts import (
    EventRefused,
    Fact,
    InstanceChanged,
    LogLine,
    PreparationStep,
    ReadyChanged,
)
from knlite.kinds.eventing.broker import Broker
from knlite.kinds.eventing.trigger import Trigger


class News:
    """What whoever watches one run knows by now."""

    def __init__(self) -> None:
        self._settled = False
        self._unready: dict[tuple[str, str, str], tuple[str, str]] = {}
        """What people know of as not ready, and why."""
        self._refused = Repeats(timedelta(seconds=10))
        self._failed = Repeats(timedelta(minutes=1))
        self._prepared = Repeats(timedelta(minutes=1))
        self._restarts = Restarts()

    def settled(self) -> None:
        """What becomes unready from now on is news."""
        self._settled = True

    def line(self, fact: Fact) -> Text | None:
        """The line for *fact*; None: it is not told, or not again."""
        line = line_of(fact)
        match fact:
            case ReadyChanged():
                return self._readiness(fact, line)
            case EventRefused() if line is not None:
                who, why = (fact.kind, fact.namespace, fact.name), (fact.status, fact.why)
                return self._refused.line(who, why, fact.at, line)
            case InstanceChanged():
                self._restarts.see(fact)
                if fact.state == "failed" and line is not None:
                    return self._failed.line(place(fact), fact.why, fact.at, line)
                if fact.state in {"ready", "gone"}:
                    self._failed.over(place(fact))
                    self._prepared.over(place(fact))
            case PreparationStep() if line is not None:
                return self._prepared.line(place(fact), fact.text, fact.at, line)
            case LogLine() if self._restarts.is_repeated(fact):
                return None
            case _:
                pass
        return line

    def _readiness(self, fact: ReadyChanged, line: Text | None) -> Text | None:
        who, why = (fact.kind, fact.namespace, fact.name), (fact.reason, fact.message)
        known = who in self._unready
        if fact.status == "False":
            if fact.kind == Trigger.__name__ and self._is_said_of_a_broker(fact.namespace, why):
                # It waits for its Broker: one line for all that do is enough.
                return None
            self._unready[who] = why
        elif fact.status == "True" and known:
            del self._unready[who]
            line = ready_now(fact)
        # On the way up everything is unready once; the table will say what is left.
        return line if self._settled else None

    def _is_said_of_a_broker(self, namespace: str, why: tuple[str, str]) -> bool:
        return any(
            kind == Broker.__name__ and where == namespace and said == why
            for (kind, where, _), said in self._unready.items()
        )


def place(fact: InstanceChanged | PreparationStep) -> tuple[str, str]:
    """Namespace, and revision or what else people know it by."""
    return fact.namespace, fact.revision or fact.service
