"""Flags as ``func`` takes them: ``--push=false``, ``--container=true``, ``--build`` alone.

The command line of Python's kind has ``--no-push`` instead; both are understood.

Source: spf13/pflag (bool flags, NoOptDefVal, Changed), which ``func`` uses.
"""

from collections.abc import Mapping
from typing import Any

from typer.core import TyperCommand

_TRUE = frozenset(("1", "t", "T", "TRUE", "true", "True"))
_FALSE = frozenset(("0", "f", "F", "FALSE", "false", "False"))
ALONE: Mapping[str, str] = {"--build": "true"}
"""Options that may stand without a value, and what they mean then."""


def is_given(context: Any, parameter: str) -> bool:
    """Whether *parameter* stands on the command line; its variable does not count.

    What contradicts another flag is an error there only: a variable is for all commands.
    """
    source = context.get_parameter_source(parameter)
    return source is not None and source.name == "COMMANDLINE"


class GoFlags(TyperCommand):
    """A command that takes Go's spelling, too."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse *args*, in the spelling of Python's kind."""
        return super().parse_args(ctx, self._respelled(args))

    def _respelled(self, args: list[str]) -> list[str]:
        flags: dict[str, str] = {}
        valued: set[str] = set()
        for param in self.params:
            off = next(iter(getattr(param, "secondary_opts", ())), "")
            for name in param.opts:
                if getattr(param, "is_flag", False):
                    flags[name] = off
                else:
                    valued.add(name)
        spelled: list[str] = []
        rest = list(args)
        while rest:
            word = rest.pop(0)
            if word == "--":
                return [*spelled, word, *rest]
            name, equals, value = word.partition("=")
            if equals and name in flags and value in _TRUE | _FALSE:
                spelled += [name] if value in _TRUE else [flags[name]] if flags[name] else []
            elif equals and name in valued and not name.startswith("--"):
                spelled += [name, value]
            elif word in ALONE and word in valued:
                spelled.append(f"{word}={ALONE[word]}")
            elif word in valued and rest:
                # Its value, whatever that looks like.
                spelled += [word, rest.pop(0)]
            else:
                spelled.append(word)
        return spelled
