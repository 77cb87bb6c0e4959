"""What a page asks for in its query. Raises ``InvalidInput`` with a sentence for what it cannot."""

from datetime import UTC, datetime

from starlette.requests import Request

from knlite.apiserver import options
from knlite.errors import InvalidInput


def limit(request: Request, usual: int, most: int) -> int:
    """How many."""
    found = options.number(request, "limit")
    return usual if found is None else min(found, most)


def service(request: Request) -> tuple[str, str]:
    """Namespace and name of ``service=NAMESPACE/NAME``; what is not given is empty."""
    namespace, slash, name = request.query_params.get("service", "").partition("/")
    return (namespace, name) if slash else ("", namespace)


def seconds(request: Request, name: str) -> float:
    """A length of time, not negative."""
    text = request.query_params.get(name, "")
    if not text:
        return 0.0
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found < float("inf"):
        raise InvalidInput(f'invalid value "{text}" for {name}: it is a number of seconds')
    return found


def moment(request: Request, name: str) -> datetime | None:
    """A time."""
    text = request.query_params.get(name, "")
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError as exc:
        raise InvalidInput(f'invalid value "{text}" for {name}: not an RFC 3339 time') from exc
    return found if found.tzinfo else found.replace(tzinfo=UTC)
