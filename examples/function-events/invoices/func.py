"""Answers each order that is paid with an event: an invoice."""

from parliament import Context, event


@event(event_type="com.example.invoice", event_source="/invoices")
def main(context: Context):
    order = context.cloud_event.data
    print(f"order {order['order']} is paid")
    return {"invoice": f"I-{order['order']}"}
