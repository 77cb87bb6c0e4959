"""All that is known of one row, as lines of text."""

from collections.abc import Iterable, Sequence

from rich.text import Text

from knlite.cli.render import clean
from knlite.cli.storylines import story_lines
from knlite.cli.top.rows import STAGES, milliseconds, plain, ready_of, signs, time_of
from knlite.cli.top.sight import Document, Name, Sight

BAR = 40
"""Characters of a whole request."""


_SPREADS = {"warm": "requests", "cold": "cold starts", "thawed": "thaws"}


def of_service(name: Name, sight: Sight, latency: Document | None = None) -> Text:
    """Its conditions, how long it takes, its revisions and its instances."""
    namespace, service = name
    document = sight.services.get(name)
    lines = [Text(f"Service {namespace}/{service}", style="bold")]
    status = (document or {}).get("status", {})
    if status.get("url"):
        lines.append(plain(status["url"], "underline"))
    ready = ready_of(document)
    if ready:
        why = " ".join(str(ready.get(key, "")) for key in ("reason", "message")).strip()
        style = {"True": "green", "False": "red"}.get(ready["status"], "yellow")
        words = {"True": "ready", "False": "not ready"}.get(ready["status"], "not ready yet")
        lines.append(plain(f"{words}: {why}" if why else words, style))
    lines += [
        plain(f"{target['percent']:3} % to {target.get('revisionName', '')}")
        for target in status.get("traffic", ())
        if target.get("percent")
    ]
    for kind, word in _SPREADS.items():
        found = (latency or {}).get(kind, {})
        if found.get("count"):
            times = ", ".join(f"{p} {milliseconds(found[p])}" for p in ("p50", "p90", "p99"))
            lines.append(plain(f"{found['count']} {word}: {times}"))
    for revision in sight.load.values():
        if (revision["namespace"], revision["service"]) == name:
            lines += [Text(""), *_revision(revision, sight)]
    return _joined(lines)


def _revision(load: Document, sight: Sight) -> Iterable[Text]:
    yield Text(load["revision"], style="bold")
    unit = load["metric"] or "concurrency"
    yield Text(
        f"  wants {load['desired']}: {load['ready']} ready, {load['notReady']} starting,"
        f" {load['pending']} to be started, {load['frozen']} frozen"
    )
    panic = "  PANIC" if load["panic"] else ""
    yield Text(
        f"  {unit} {load['stable']:.3g} over the stable window, {load['panicWindow']:.3g} over the"
        f" panic window, {load['target']:g} wanted for each instance{panic}"
    )
    yield Text(
        f"  {load['active']} at instances, {load['queued']} queued,"
        f" {load['requests']} answered in the last second, {load['failed']} of them failed"
    )
    for each in sight.instances.values():
        if (each["namespace"], each["revision"]) == (load["namespace"], load["revision"]):
            line = Text("  ").append_text(signs([each]))
            restarts = f", started again {each['restarts']} times" if each["restarts"] else ""
            how = f" ({each['how']})" if each["how"] else ""
            line.append(clean(f" {each['instance']}  {each['state']}{how}{restarts}  since "))
            line.append_text(time_of(each["at"]))
            yield line
            if each["why"]:
                yield _indented(6, each["why"])


def of_start(row: Document) -> Text:
    """A request's waterfall, one line for each stage."""
    total = row["seconds"] or 1.0
    lines = [
        plain(f"{row['method']} {row['path']} → {row['status'] or 'no answer'}", "bold"),
        plain(f"Service {row['namespace']}/{row['service']}"),
        plain(row["instance"] or f"{row['revision']}, but no instance", "dim"),
        plain(f"request {row['id']}", "dim"),
        Text(""),
    ]
    for stage in row["stages"]:
        begin, end = (round(stage[key] / total * BAR) for key in ("start", "end"))
        # What is over at once is seen all the same.
        begin = min(begin, BAR - 1)
        drawn = max(1, end - begin)
        sign, style = STAGES.get(stage["name"], ("?", ""))
        line = Text(f"{stage['name']:>10} {' ' * begin}", no_wrap=True)
        line.append(sign * drawn, style=style)
        line.append(" " * (BAR - begin - drawn))
        line.append(f"{milliseconds(stage['end'] - stage['start']):>9}")
        lines.append(line)
        if stage["why"]:
            lines.append(_indented(11, stage["why"]))
    lines.append(Text(f"{'total':>10} {' ' * BAR}{milliseconds(row['seconds']):>9}"))
    if row["why"]:
        lines += [Text(""), plain(row["why"], "red")]
    return _joined(lines)


def of_event(story: Document) -> Text:
    """The story of an event."""
    lines = []
    for parts in story_lines(story):
        line = Text()
        for part, style in parts:
            line.append(clean(part), style=style)
        lines.append(line)
    return _joined(lines)


def of_notice(notice: Document) -> Text:
    """The whole sentence."""
    about = " ".join(notice.get("object", "").split("/", 1))
    return _joined([time_of(notice["at"]), plain(about, "bold"), Text(clean(notice["text"]))])


def _indented(columns: int, text: str) -> Text:
    return Text(" " * columns).append_text(plain(text, "dim"))


def _joined(lines: Sequence[Text]) -> Text:
    return Text("\n").join(lines)
