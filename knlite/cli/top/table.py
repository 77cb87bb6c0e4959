"""A pane: a table of rows that changes no more of itself than what is different."""

from collections.abc import Iterable, Sequence

from rich.text import Text
from textual.widgets import DataTable
from textual.widgets.data_table import CellDoesNotExist

from knlite.cli.top.rows import Row


class Table(DataTable[Text]):
    """The rows of one kind; *stays* with its row when others come, even at the top."""

    def __init__(self, name: str, heads: Sequence[str], *, stays: bool = False) -> None:
        super().__init__(id=name, cursor_type="row", cell_padding=1)
        self.shown: dict[str, Row] = {}
        """By key, in order."""
        self._stays = stays
        for head in heads:
            self.add_column(head)

    def show(self, rows: Iterable[Row]) -> None:
        """These are the rows now."""
        before, self.shown = self.shown, {row.key: row for row in rows}
        if list(self.shown) == list(before):
            self._update(before)
            return
        at, at_top = self._key(), self.cursor_row <= 0
        self.clear()
        for row in self.shown.values():
            self.add_row(*row.cells, key=row.key)
        # Who is at the top wants to see what comes; who is at a row wants to stay with it.
        if at in self.shown and (self._stays or not at_top):
            self.move_cursor(row=list(self.shown).index(at), animate=False)

    def under(self) -> Row | None:
        """The row under the cursor."""
        return self.shown.get(self._key())

    def _update(self, before: dict[str, Row]) -> None:
        columns = list(self.columns)
        for key, row in self.shown.items():
            for column, was, cell in zip(columns, before[key].cells, row.cells, strict=True):
                if was != cell:
                    self.update_cell(key, column, cell, update_width=True)

    def _key(self) -> str:
        try:
            return str(self.coordinate_to_cell_key(self.cursor_coordinate).row_key.value)
        except CellDoesNotExist:
            return ""
