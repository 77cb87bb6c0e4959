"""Facts as lines for the terminal, coloured by revision.

Everything that comes from outside (log lines, names, paths) is shown as text: it can neither set
colours nor send control sequences.
"""

import re
from zlib import crc32

from rich.style import Style
from rich.text import Text

from knlite.cli.logtext import of_request
from knlite.facts import (
    CertificateDoubted,
    ColdStart,
    DeliveryAttempted,
    EventAccepted,
    EventRefused,
    Fact,
    InstanceChanged,
    LogLine,
    Notice,
    PreparationStep,
    ReadyChanged,
    RequestDone,
    ScaleDecided,
    SourceSent,
)
from knlite.serving.failures import in_short
from knlite.telemetry.sentences import cold_start

_PALETTE = (
    "cyan",
    "green",
    "magenta",
    "blue",
    "yellow",
    "bright_cyan",
    "bright_green",
    "bright_magenta",
    "bright_blue",
    "bright_yellow",
)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_LEVELS = {"info": Style(), "warning": Style(color="yellow"), "error": Style(color="red")}
WIDTH = 34
SEPARATOR = " │ "
"""Between whom a line is about and what it says."""


def line_of(fact: Fact) -> Text | None:
    """The line for *fact*, or None for facts that are not shown."""
    match fact:
        # First, as there are far more of these than of all others.
        case RequestDone():
            return _request(fact) if fact.why and fact.status else None
        case EventAccepted() | DeliveryAttempted(outcome="delivered"):
            return None
        case LogLine():
            style = Style(color="red") if fact.stream == "stderr" else Style()
            short = fact.instance.rpartition("-")[2]
            text = of_request(fact.request, fact.text)
            return _line(fact.namespace, f"{_place(fact)}/{short}", text, style)
        case ScaleDecided():
            arrow = "↑" if fact.desired > fact.was else "↓"
            text = f"{arrow} {fact.was} → {fact.desired} instances: {fact.why}"
            return _line(fact.namespace, fact.revision, text, Style(bold=True))
        case InstanceChanged(state="failed"):
            text = f"✗ {_one_line(fact.why)}"
            return _line(fact.namespace, _place(fact), text, Style(color="red"))
        case InstanceChanged(state="unready" | "restarting"):
            short = fact.instance.rpartition("-")[2]
            text = f"{short} {fact.state}: {_first(fact.why)}"
            return _line(fact.namespace, _place(fact), text, Style(color="yellow"))
        case InstanceChanged(state="ready" | "completed" | "gone" | "frozen" | "stopped"):
            short = fact.instance.rpartition("-")[2]
            text = f"{short} {fact.state}" + (f" ({fact.why})" if fact.why else "")
            return _line(fact.namespace, _place(fact), text, Style(dim=True))
        case ColdStart():
            return _line(fact.namespace, fact.revision, cold_start(fact), Style(dim=True))
        case PreparationStep():
            if fact.share:
                return None  # Had its line when it began.
            return _line(fact.namespace, _place(fact), fact.text, Style(dim=True))
        case ReadyChanged(status="False"):
            text = f"not ready: {fact.reason}: {in_short(fact.message)}"
            return _line(fact.namespace, f"{fact.kind} {fact.name}", text, Style(color="red"))
        case DeliveryAttempted(outcome="waiting", leg="dead letter sink"):
            # On its way to the sink through a queue: what becomes of it is told.
            return None
        case DeliveryAttempted(outcome="retrying" | "failed" | "dead-lettered" | "waiting"):
            name = f"{fact.egress_kind} {fact.egress_name}"
            return _line(fact.egress_namespace, name, *_delivery(fact))
        case EventRefused():
            text = f"event refused with {fact.status}: {_first(fact.why)}"
            return _line(fact.namespace, f"{fact.kind} {fact.name}", text, Style(color="yellow"))
        case SourceSent(outcome="failed"):
            text = f"event {fact.event_id} was not taken by {fact.target}: {_first(fact.why)}"
            return _line(fact.namespace, f"{fact.kind} {fact.name}", text, Style(color="yellow"))
        case CertificateDoubted():
            text = f"clients may refuse the certificate of Secret {fact.secret}: {fact.why}"
            return _line(fact.namespace, f"DomainMapping {fact.host}", text, Style(color="yellow"))
        case Notice():
            return Text(clean(fact.text), style=_LEVELS[fact.level])
        case _:
            return None


def ready_now(fact: ReadyChanged) -> Text:
    """The line for what was not ready, and is now."""
    return _line(fact.namespace, f"{fact.kind} {fact.name}", "ready now", Style(color="green"))


def _place(fact: LogLine | InstanceChanged | PreparationStep) -> str:
    """Where it happens: in a revision, else in the Deployment or Job that people know."""
    return fact.revision or fact.service


def _line(namespace: str, name: str, text: str, style: Style) -> Text:
    subject = f"{namespace}/{name}"
    colour = _PALETTE[crc32(subject.partition("/")[0].encode() + _owner(name)) % len(_PALETTE)]
    line = Text(clean(subject).ljust(WIDTH), style=Style(color=colour), no_wrap=True)
    line.append(SEPARATOR, style=Style(dim=True))
    line.append(clean(text), style=style)
    return line


def _owner(name: str) -> bytes:
    return name.partition("/")[0].encode()


def _request(fact: RequestDone) -> Text:
    """One that knlite answered itself."""
    path = fact.target.partition(b"?")[0].decode("utf-8", "replace")
    text = f"{fact.method} {path} → {fact.status}: {_first(fact.why)}"
    return _line(fact.namespace, fact.revision, text, Style(color="red"))


def _delivery(fact: DeliveryAttempted) -> tuple[str, Style]:
    """What happened to an event at one egress, and what comes next."""
    event, yellow, red = f"event {fact.event_id}", Style(color="yellow"), Style(color="red")
    leg = "" if fact.leg == "subscriber" else f" ({fact.leg})"
    answer = f"{fact.status or 'no answer'} {_first(fact.why)}".rstrip()
    match fact.outcome:
        case "waiting":
            return f"{event} waits: {_first(fact.why)}", yellow
        case "retrying":
            return f"{event}{leg}: {answer}; again {after(fact.next_in or 0.0)}", yellow
        case "dead-lettered":
            return f"{event} is a dead letter: knlite explain {fact.arrival}", red
        case _ if not fact.ended:
            return f"{event}{leg}: {answer}; it goes to the dead letter sink", yellow
        case _:
            return f"{event} failed{leg}: {answer}; knlite explain {fact.arrival}", red


def _first(text: str) -> str:
    return text.strip().partition("\n")[0]


def _one_line(text: str) -> str:
    return "; ".join(" ".join(line.split()) for line in text.strip().splitlines())


def after(seconds: float) -> str:
    """When something happens that waits for *seconds*."""
    return f"in {seconds:.3g} s" if seconds >= 0.001 else "at once"


def clean(text: str) -> str:
    """*text* without control characters, which could set colours or worse."""
    return _CONTROL.sub("�", text)
