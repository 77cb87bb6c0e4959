"""Events for the system that the tests look at."""

from tests.e2e.executable import Knlite


def send(run: Knlite, broker: str, data: bytes = b"{}", **attributes: str) -> None:
    """An event for *broker*, ``NAMESPACE/NAME``; it is kept when this returns."""
    namespace, name = broker.split("/")
    event = {"specversion": "1.0", "source": "/tests", "type": "t", **attributes}
    answer = run.http.post(
        f"/{namespace}/{name}",
        headers={
            "Host": "broker-ingress.knative-eventing.svc.cluster.local",
            "Content-Type": "application/json",
            **{f"ce-{key}": value for key, value in event.items()},
        },
        content=data,
    )
    assert answer.status_code == 202, answer.text


def ended(run: Knlite, event: str, outcome: str) -> bool:
    """Whether a delivery of the event with this id has ended so."""
    return bool(run.seen("DeliveryAttempted", event_id=event, outcome=outcome, ended=True))
