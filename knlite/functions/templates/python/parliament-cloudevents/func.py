"""A function that takes a CloudEvent and answers with one, in the style of parliament."""

from parliament import Context, event


@event(event_type="function.response", event_source="/function")
def main(context: Context):
    """What is returned is the data of the event that goes on to the broker, or back to who asked.

    ``context.cloud_event`` is the event: ``.data``, and its attributes as ``["type"]``. Return a
    ``cloudevents.http.CloudEvent`` to choose the attributes of the answer, too.
    """
    print("event", context.cloud_event["id"], "of type", context.cloud_event["type"])
    data = context.cloud_event.data
    return {"received": f"{len(data)} bytes" if isinstance(data, bytes) else data}
