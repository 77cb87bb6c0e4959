"""The verbs for events and their options; the work of each is in a module of its own.

Exit codes beside those of all verbs (``main.py``): 5 when nobody's filter wants the event, 6 when
its deliveries have not ended in time.
"""

from typing import Annotated

import typer

from knlite.cli.doors import AdminPort, Json, explaining

EventId = Annotated[str, typer.Argument(metavar="EVENT_ID", help="The id, or the arrival.")]
Source = Annotated[str, typer.Option(help="The source, where several have that id.")]
Broker = Annotated[
    str, typer.Option(metavar="[NAMESPACE/]NAME", help="The broker; needed if there are several.")
]
OfBroker = Annotated[str, typer.Option(metavar="[NAMESPACE/]NAME", help="Only of this broker.")]
OfChannel = Annotated[str, typer.Option(metavar="[NAMESPACE/]NAME", help="Only of this channel.")]
Since = Annotated[
    str, typer.Option(metavar="TIME", help="Only since then: 90s, 10m, 2h, 1d, or a time of day.")
]
Trigger = Annotated[
    str, typer.Option(metavar="[NAMESPACE/]NAME", help="Only to this trigger or subscription.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]


def add_event_verbs(app: typer.Typer) -> None:
    """Give *app* the verbs."""
    app.command()(send)
    app.command()(events)
    app.command()(explain)
    app.add_typer(_dead_letters, name="dead-letters")
    app.command()(replay)


def send(
    type_: Annotated[str, typer.Option("--type", help="What has happened.")] = "knlite.sent",
    source: Annotated[str, typer.Option(help="Where it has happened.")] = "/knlite/send",
    subject: Annotated[str, typer.Option(help="What it has happened to.")] = "",
    id_: Annotated[str, typer.Option("--id", help="Made up if it is not given.")] = "",
    data: Annotated[
        str, typer.Option(metavar="TEXT|@FILE", help="The data; @- reads standard input.")
    ] = "",
    content_type: Annotated[
        str, typer.Option(help="Of the data; JSON or plain text if it is not given.")
    ] = "",
    ext: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="An extension; repeatable.")
    ] = None,
    broker: Broker = "",
    channel: Annotated[
        str, typer.Option(metavar="[NAMESPACE/]NAME", help="Send to this channel instead.")
    ] = "",
    to: Annotated[
        str,
        typer.Option(
            metavar="URL|SERVICE",
            help="POST straight there: no filters, and nothing of it in the event log.",
        ),
    ] = "",
    wait: Annotated[
        bool, typer.Option("--wait", help="Until every delivery has ended, and show them.")
    ] = False,
    timeout: Annotated[float, typer.Option(min=0, help="Seconds for --wait.")] = 60.0,
    as_json: Json = False,
    admin_port: AdminPort = 8081,
) -> None:
    """Send an event to a broker, a channel or a URL of a running knlite.

    \b
    Exit codes: 0 somebody wants it (--wait: all who want it have taken it)
                1 it was refused (--wait: a delivery failed, or became a dead letter)
                5 no trigger wants it
                6 --wait: after --timeout it is still being delivered
    \b
    Examples:
      knlite send --type order.paid --data '{"id": 17}' --wait
      knlite send --broker shop/orders --type order.paid --data @order.json
      knlite send --to hello-python --data hello
    """
    with explaining():
        from knlite.cli.send import Target, send_event
        from knlite.cli.written import written_event

        event = written_event(
            {"type": type_, "source": source, "subject": subject, "id": id_},
            extensions=ext or [],
            data=data,
            content_type=content_type,
        )
        target = Target(broker=broker, channel=channel, to=to)
        code = send_event(
            event, target, admin_port, wait=timeout if wait else None, as_json=as_json
        )
        raise typer.Exit(code)


def events(
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what comes until Ctrl-C.")
    ] = False,
    type_: Annotated[str, typer.Option("--type", help="Only of this type.")] = "",
    source: Annotated[str, typer.Option(help="Only of this source.")] = "",
    subject: Annotated[str, typer.Option(help="Only about this subject.")] = "",
    state: Annotated[
        str, typer.Option(metavar="STATE", help="Only what this became of: failed, unmatched, …")
    ] = "",
    text: Annotated[
        str, typer.Option(metavar="WORDS", help="Only with these words in attributes or data.")
    ] = "",
    trigger: Annotated[
        str, typer.Option(metavar="[NAMESPACE/]NAME", help="Only what this one wanted.")
    ] = "",
    broker: OfBroker = "",
    channel: OfChannel = "",
    since: Since = "",
    limit: Annotated[int, typer.Option(min=0, max=10_000, help="At most the newest.")] = 50,
    as_json: Json = False,
    admin_port: AdminPort = 8081,
) -> None:
    """List the events that brokers and channels have taken, the newest last.

    \b
    Examples:
      knlite events --type order.paid --since 10m
      knlite events --state failed --text customer-17
      knlite events -f
    """
    with explaining():
        from knlite.cli.eventquery import parameters
        from knlite.cli.events import show

        query = parameters(
            type=type_,
            source=source,
            subject=subject,
            state=state,
            text=text,
            egress=trigger,
            broker=broker,
            channel=channel,
            since=since,
            limit=limit,
        )
        show(query, admin_port, follow=follow, as_json=as_json)


def explain(
    event: Annotated[
        str, typer.Argument(metavar="EVENT_ID|FILE", help="An id; with --dry-run an event's file.")
    ],
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Say who would get the event in FILE (JSON), without sending it."
        ),
    ] = False,
    source: Source = "",
    broker: OfBroker = "",
    channel: OfChannel = "",
    as_json: Json = False,
    admin_port: AdminPort = 8081,
) -> None:
    """Tell the story of an event: who wanted it and why, and every attempt to deliver it.

    \b
    Exit codes: 3 no such event is in the log; 5 --dry-run: nobody would get it
    \b
    Examples:
      knlite explain order-17
      knlite explain --dry-run event.json --broker shop/orders
    """
    with explaining():
        from knlite.cli.eventquery import parameters
        from knlite.cli.explain import foretell, tell

        if not dry_run:
            tell(event, source, admin_port, as_json=as_json)
            return
        where = parameters(broker=broker, channel=channel)
        raise typer.Exit(foretell(event, where, admin_port, as_json=as_json))


_dead_letters = typer.Typer(
    no_args_is_help=True, help="Deliveries that failed: list, show, and send them again."
)


@_dead_letters.command("list")
def list_dead_letters(
    type_: Annotated[str, typer.Option("--type", help="Only of this type.")] = "",
    broker: OfBroker = "",
    channel: OfChannel = "",
    since: Since = "",
    limit: Annotated[int, typer.Option(min=0, max=10_000, help="At most the newest.")] = 50,
    as_json: Json = False,
    admin_port: AdminPort = 8081,
) -> None:
    """List the deliveries that subscribers did not take, with or without a dead letter sink.

    \b
    Example:
      knlite dead-letters list --broker shop/orders
    """
    with explaining():
        from knlite.cli.deadletters import show_list
        from knlite.cli.eventquery import parameters

        query = parameters(type=type_, broker=broker, channel=channel, since=since, limit=limit)
        show_list(query, admin_port, as_json=as_json)


@_dead_letters.command("show")
def show_dead_letter(
    event: EventId, source: Source = "", as_json: Json = False, admin_port: AdminPort = 8081
) -> None:
    """Show a dead letter: the event with its data, and why its deliveries failed.

    \b
    Example:
      knlite dead-letters show order-17
    """
    with explaining():
        from knlite.cli.deadletters import show_one

        show_one(event, source, admin_port, as_json=as_json)


@_dead_letters.command("redrive")
def redrive_dead_letters(
    event: Annotated[
        str, typer.Argument(metavar="[EVENT_ID]", help="The id, or the arrival.")
    ] = "",
    all_: Annotated[bool, typer.Option("--all", help="All that are listed.")] = False,
    source: Source = "",
    type_: Annotated[str, typer.Option("--type", help="Only of this type.")] = "",
    broker: OfBroker = "",
    channel: OfChannel = "",
    trigger: Trigger = "",
    since: Since = "",
    dry_run: DryRun = False,
    as_json: Json = False,
    admin_port: AdminPort = 8081,
) -> None:
    """Send dead letters again, each to the one who did not take it.

    What has been taken meanwhile, or is under way, is left out.

    \b
    Exit codes: 1 one could not be sent
    \b
    Examples:
      knlite dead-letters redrive order-17
      knlite dead-letters redrive --all --broker shop/orders --dry-run
    """
    with explaining():
        from knlite.cli.eventquery import one_event, parameters
        from knlite.cli.replay import redrive

        query = parameters(
            source=source, type=type_, broker=broker, channel=channel, trigger=trigger, since=since
        )
        code = redrive(
            {**query, **one_event(event)},
            admin_port,
            everything=all_,
            dry_run=dry_run,
            as_json=as_json,
        )
        raise typer.Exit(code)


def replay(
    event: Annotated[
        str, typer.Argument(metavar="[EVENT_ID]", help="The id, or the arrival.")
    ] = "",
    since: Since = "",
    source: Source = "",
    type_: Annotated[str, typer.Option("--type", help="Only of this type.")] = "",
    broker: OfBroker = "",
    channel: OfChannel = "",
    trigger: Trigger = "",
    to: Annotated[
        str,
        typer.Option(metavar="URL|SERVICE", help="Once straight there, instead of to triggers."),
    ] = "",
    dry_run: DryRun = False,
    as_json: Json = False,
    admin_port: AdminPort = 8081,
) -> None:
    """Send events of the log again: one, or all since some time.

    They go to the broker or channel that had them, and so to everybody who wants them now, unless
    --trigger or --to says otherwise. The event log says of each which event it repeats.

    \b
    Exit codes: 1 one could not be sent
    \b
    Examples:
      knlite replay order-17 --trigger mail
      knlite replay --since 10m --type order.paid --dry-run
      knlite replay order-17 --to http://127.0.0.1:9000/
    """
    with explaining():
        from knlite.cli.eventquery import one_event, parameters
        from knlite.cli.replay import replay as replay_events

        query = parameters(
            source=source,
            type=type_,
            broker=broker,
            channel=channel,
            trigger=trigger,
            to=to,
            since=since,
        )
        code = replay_events(
            {**query, **one_event(event)}, admin_port, dry_run=dry_run, as_json=as_json
        )
        raise typer.Exit(code)
