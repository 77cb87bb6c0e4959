"""A function that takes a CloudEvent and answers with one, in the style of parliament."""

from parliament import Context, event


@event(event_type="function.response", event_source="/function")
def main(context: Context):
    """What is returned is the data of the event that goes on to the broker, or back to who asked.

    ``context.cloud_event`` is the event: ``.data``, and its attributes as ``["type"]``. Return a
    ``cloudevents.http.CloudEvent`` to choose the attributes of the answer, too.
    """
    print("event", context.cloud_event["id"], "of type", context.cloud_event["type"])
    return {"received": shown(context.cloud_event.data)}


def shown(data):
    """What came, as JSON can say it: bytes, such as those of a picture, as text."""
    return data.decode(errors="replace") if isinstance(data, bytes) else data
