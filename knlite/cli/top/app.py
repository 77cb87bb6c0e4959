"""The screen of ``knlite top``.

Drawn at most four times a second, and only what has changed: it is looked at over slow lines too.
The mouse stays with the terminal, so that text can be selected.
"""

from collections.abc import Callable, Mapping
from typing import ClassVar, cast

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.timer import Timer
from textual.widgets import ContentSwitcher, DataTable, Input, Static

from knlite.cli.client import Client
from knlite.cli.top import asking, details, rows
from knlite.cli.top.asking import Learn
from knlite.cli.top.feed import Begun, Feed, Lost, News, Told
from knlite.cli.top.overlay import Details
from knlite.cli.top.panes import LOWER, PANES
from knlite.cli.top.sight import TOPICS, Document, Name, Pane, Sight
from knlite.cli.top.table import Table
from knlite.errors import KnliteError

REDRAW = 0.25
"""Seconds between two drawings."""
RESTING = 120.0
"""Seconds that a service may take to come to zero."""
_ASKED: Mapping[str, Callable[[Client], Learn]] = {
    "services": asking.services,
    "starts": asking.starts,
    "events": asking.events,
}


class Heard(Message):
    """The feed has told something."""

    def __init__(self, news: News) -> None:
        super().__init__()
        self.news = news


class Top(App[None]):
    """What the knlite with an admin port does."""

    ENABLE_COMMAND_PALETTE = False
    CSS = """
    Screen { layout: vertical; }
    #status, #keys { height: 1; padding: 0 1; }
    #status { background: $panel; }
    #keys { dock: bottom; color: $text-muted; }
    .title { height: 1; padding: 0 1; color: $accent; text-style: bold; }
    .empty { height: 1; padding: 0 1; color: $text-muted; }
    DataTable { height: 1fr; background: $background; scrollbar-size: 1 1; overflow-x: hidden; }
    DataTable > .datatable--header { background: $background; color: $text-muted; }
    #upper { height: 2fr; }
    #panes { height: 3fr; }
    #filter { dock: bottom; height: 1; border: none; padding: 0 1; }
    #details { padding: 0 1; background: $background; }
    Details { align: center middle; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "pane('services')", "services"),
        Binding("2", "pane('starts')", "cold starts"),
        Binding("3", "pane('events')", "events"),
        Binding("4", "pane('notices')", "notices"),
        Binding("slash", "filter", "filter"),
        Binding("escape", "unfilter", "no filter", show=False),
        Binding("s", "rest", "scale to zero"),
        Binding("q,ctrl+c", "quit", "quit", priority=False),
    ]

    def __init__(self, port: int) -> None:
        super().__init__(ansi_color=True)
        self.animation_level = "none"
        self.sight = Sight()
        self._port = port
        self._feed = Feed(port, TOPICS, self._heard)
        self._trouble = ""
        self._begun = False
        self._wanted = ""
        self._lower: Pane = "notices"
        self._dirty: set[Pane] = set(PANES)
        self._drawing: Timer | None = None
        self._asking: set[str] = set()
        """What is being asked of knlite, and so need not be asked again now."""
        self._again: set[str] = set()
        """Of those, what has changed meanwhile."""

    # What is there.

    def compose(self) -> ComposeResult:
        yield Static(id="status")
        yield Static(PANES["services"].title, classes="title")
        yield Static(PANES["services"].empty, classes="empty", id="empty-services")
        yield Table("upper", PANES["services"].heads, stays=True)
        yield Static(id="titles", classes="title")
        yield Static(classes="empty", id="empty-lower")
        with ContentSwitcher(initial="notices", id="panes"):
            for pane in LOWER:
                yield Table(pane, PANES[pane].heads)
        yield Input(placeholder="words to look for", id="filter", compact=True)
        yield Static(id="keys")

    def on_mount(self) -> None:
        """Begin to read."""
        self.query_one("#filter").display = False
        self._table("services").focus()
        self._tell_keys()
        self._say()
        self._draw()
        self._feed.start()

    def on_unmount(self) -> None:
        """Nobody looks any more."""
        self._feed.stop()

    # What is heard.

    def _heard(self, news: News) -> None:
        # In the feed's thread, which must not wait for the screen.
        self.post_message(Heard(news))

    def on_heard(self, message: Heard) -> None:
        """Take note of the feed's news."""
        if not self._stands():
            return
        match message.news:
            case Begun():
                self._trouble, self._begun = "", True
                self.sight.begin()
                self._say()
                for what in _ASKED:
                    self._ask(what)
            case Lost(why, pause):
                self._trouble = f"{why}; next attempt in {pause:g} s"
                self._say()
            case Told(topic, data):
                skipped = self.sight.skipped
                self._changed(self.sight.take(topic, data))
                if self.sight.starts_are_asked_for(topic, data):
                    self._ask("starts")
                if self.sight.services_are_asked_for(topic, data):
                    self._ask("services")
                if self.sight.skipped != skipped:
                    self._say()

    def _ask(self, what: str) -> None:
        """Read what the feed only tells has changed; once at a time."""
        if what in self._asking:
            self._again.add(what)
            return
        self._asking.add(what)

        def ask() -> None:
            learn: Learn | None
            try:
                learn = _ASKED[what](Client(self._port))
            except KnliteError:
                # The feed says what is wrong, and all is asked anew when it comes back.
                learn = None
            self.call_from_thread(self._answered, what, learn)

        self.run_worker(ask, thread=True, exit_on_error=False)

    def _answered(self, what: str, learn: Learn | None) -> None:
        if not self._stands():
            return
        self._asking.discard(what)
        if learn is not None:
            self._changed(learn(self.sight))
        if what in self._again:
            self._again.discard(what)
            self._ask(what)

    # What is shown.

    def _changed(self, panes: set[Pane]) -> None:
        self._dirty |= panes
        if self._dirty and self._drawing is None:
            self._drawing = self.set_timer(REDRAW, self._draw)

    def _stands(self) -> bool:
        """Whether the screen is not being taken down; news and timers come until the very end."""
        return bool(self.query("#status") and self.query("#keys"))

    def _draw(self) -> None:
        self._drawing = None
        if not self._stands():
            return
        if "services" in self._dirty:
            self._say()
        for pane in ("services", self._lower):
            if pane in self._dirty:
                self._dirty.discard(pane)
                self._table(pane).show(rows.chosen(PANES[pane].rows(self.sight), self._wanted))
        self._say_empty("#empty-services", "services")
        self._say_empty("#empty-lower", self._lower)

    def _say_empty(self, where: str, pane: Pane) -> None:
        words = f'Nothing here has "{self._wanted}".' if self._wanted else PANES[pane].empty
        sign = self.query_one(where, Static)
        sign.update(Text(words))
        sign.display = not self._table(pane).shown

    def _say(self) -> None:
        status = Text(no_wrap=True)
        status.append("knlite top ", style="bold")
        if self._trouble:
            status.append(f"▲ {rows.plain(self._trouble)}", style="bold red")
        else:
            word = ("●", "green") if self._begun else ("◐", "yellow")
            status.append(f"{word[0]} admin port {self._port}", style=word[1])
            running = sum(each["state"] in rows.RUNNING for each in self.sight.instances.values())
            status.append(f"  {len(self.sight.services)} services, {running} instances run")
        if self.sight.skipped:
            status.append(f"  ! {self.sight.skipped} left out, as this is slow", style="yellow")
        if self._wanted:
            status.append(f"  / {self._wanted}", style="bold")
        self.query_one("#status", Static).update(status)
        titles = Text(no_wrap=True)
        for pane in LOWER:
            style = "bold underline" if pane == self._lower else "dim"
            titles.append(PANES[pane].title, style=style)
            titles.append("   ")
        self.query_one("#titles", Static).update(titles)

    def _tell_keys(self) -> None:
        self.query_one("#keys", Static).update(
            "1 2 3 4 pane  / filter  Enter details  s scale to zero  q quit"
        )

    # What keys do.

    def action_pane(self, pane: Pane) -> None:
        """Look at *pane*, and move in it."""
        if pane != "services":
            self._lower = pane
            self.query_one(ContentSwitcher).current = pane
            self._dirty.add(pane)
            self._say()
            self._draw()
        self._table(pane).focus()

    def action_filter(self) -> None:
        """Ask for words."""
        entry = self.query_one("#filter", Input)
        entry.display = True
        entry.focus()

    def action_unfilter(self) -> None:
        """Show all again."""
        self._filter("")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show what has these words."""
        self._wanted = event.value.strip()
        self._dirty |= set(PANES)
        self._say()
        self._draw()

    def on_input_submitted(self) -> None:
        """Keep the words, and go back to the rows."""
        self.query_one("#filter").display = False
        self._table("services" if self._table("services").shown else self._lower).focus()

    def _filter(self, wanted: str) -> None:
        entry = self.query_one("#filter", Input)
        entry.value = wanted
        entry.display = bool(wanted)
        self._table("services").focus()

    def action_rest(self) -> None:
        """Bring the service under the cursor to zero."""
        row = self._table("services").under()
        if row is None or not self._table("services").has_focus:
            self.notify("Choose a service first: 1, then ↑ ↓", severity="warning")
            return
        namespace, name = cast("Name", row.about)

        def rest() -> None:
            try:
                Client(self._port).rest(namespace, name, RESTING)
            except KnliteError as exc:
                self.call_from_thread(self.notify, exc.what, severity="error", markup=False)
            else:
                text = f"{namespace}/{name} is at zero"
                self.call_from_thread(self.notify, text, markup=False)

        self.run_worker(rest, thread=True, exit_on_error=False)

    async def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Show all that is known of a row."""
        pane: Pane = "services" if event.data_table.id == "upper" else self._lower
        row = self._table(pane).shown.get(str(event.row_key.value))
        if row is None:
            return
        match pane:
            case "services":
                self._tell_service(cast("Name", row.about))
                return
            case "starts":
                text = details.of_start(cast("Document", row.about))
            case "notices":
                text = details.of_notice(cast("Document", row.about))
            case _:
                self._tell_story(cast("Document", row.about)["arrival"])
                return
        await self.push_screen(Details(text))

    def _tell_service(self, name: Name) -> None:
        def ask() -> None:
            latency: Document | None
            try:
                latency = asking.latency(Client(self._port), name)
            except KnliteError:
                # What is known without it is worth showing.
                latency = None
            # Not here: the sight changes meanwhile.
            text = self.call_from_thread(details.of_service, name, self.sight, latency)
            self.call_from_thread(self.push_screen, Details(text))

        self.run_worker(ask, thread=True, exit_on_error=False)

    def _tell_story(self, arrival: int) -> None:
        def ask() -> None:
            try:
                story = asking.story(Client(self._port), arrival)
            except KnliteError as exc:
                self.call_from_thread(self.notify, exc.what, severity="error", markup=False)
            else:
                self.call_from_thread(self.push_screen, Details(details.of_event(story)))

        self.run_worker(ask, thread=True, exit_on_error=False)

    def _table(self, pane: Pane) -> Table:
        return self.query_one("#upper" if pane == "services" else f"#{pane}", Table)
