from parliament import Context, event


@event
def main(context: Context):
    """Print what the event carries, and answer with an event of our own."""
    print(f"received {context.cloud_event['type']}: {context.cloud_event.data}")
    return {"processed": context.cloud_event.data}
