"""Auth: in whose name an object sends events, in the status of everything that does.

Source: knative/pkg ``apis/duck/v1/auth_types.go``.
"""

from knlite.kinds.meta import Fields


class AuthStatus(Fields):
    """ServiceAccounts in the namespace of the object; flows have those of all their parts."""

    service_account_name: str | None = None
    service_account_names: tuple[str, ...] = ()
