"""What the gateway says in its own name: which addresses exist, and that an address does not.

Names come from manifests and hosts from clients, so everything is escaped.
"""

from collections.abc import Sequence
from difflib import get_close_matches
from html import escape

SHOWN = 20
"""Addresses in the sentence of a 404; the index shows all."""


def not_found(host: str, path: str, urls: Sequence[str]) -> str:
    """The sentence for an address that leads nowhere."""
    asked = f"{host}{path if path != '/' else ''}"
    if not urls:
        return f"nothing is served at {asked}: no service exists\n"
    close = get_close_matches(f"http://{asked}", urls, n=1)
    hint = f"; did you mean {close[0]}?" if close else ""
    more = f"\n  … and {len(urls) - SHOWN} more" if len(urls) > SHOWN else ""
    listed = "".join(f"\n  {url}" for url in urls[:SHOWN])
    return f"nothing is served at {asked}{hint}\nthere are:{listed}{more}\n"


def inside_only(host: str, public: bool, rows: Sequence[tuple[str, str]]) -> str:
    """The sentence for a name that only the cluster's own know, asked for from outside."""
    text = f"{host} is a name inside the cluster: only services reach it, as on Knative\n"
    if not public:
        return f"{text}it has no address outside, which its label or domain says (cluster-local)\n"
    name, _, rest = host.partition(".")
    wanted = f"Service {rest.partition('.')[0]}/{name}"
    urls = [url for what, url in rows if what == wanted]
    return f"{text}from here it is {urls[0]}\n" if urls else text


def index(rows: Sequence[tuple[str, str]]) -> str:
    """The page at bare localhost: (what, URL) of everything that is served."""
    items = "".join(
        f'<tr><td>{escape(what)}</td><td><a href="{escape(url)}">{escape(url)}</a></td></tr>'
        for what, url in rows
    )
    body = f"<table>{items}</table>" if rows else "<p>Nothing is served yet.</p>"
    return _PAGE.format(body=body)


def plain_index(rows: Sequence[tuple[str, str]]) -> str:
    """The same for terminals."""
    width = max((len(what) for what, _ in rows), default=0)
    return (
        "".join(f"{what.ljust(width)}  {url}\n" for what, url in rows) or "nothing is served yet\n"
    )


_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>knlite</title>
<style>body{{font:16px/1.5 system-ui,sans-serif;margin:3rem auto;max-width:50rem;padding:0 1rem}}
td{{padding:.2rem 1.5rem .2rem 0}}</style>
<h1>knlite</h1>{body}
"""
