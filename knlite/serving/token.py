"""A service account's token that looks like a cluster's.

Differs: nobody here checks it: it lets programs run that want to read one. It is signed with a key
of this run only, so no cluster takes it for its own, and it is valid for a year, since it is not
rotated.

Source: RFC 7519; Kubernetes "TokenRequest" (the claims).
"""

import hashlib
import hmac
import json
from base64 import urlsafe_b64encode
from datetime import datetime, timedelta

LIFETIME = timedelta(days=365)
ISSUER = "https://kubernetes.default.svc.cluster.local"


def service_account_token(
    namespace: str, account: str, pod: str, *, audience: str, key: bytes, now: datetime
) -> str:
    """The token of *account* for *pod*; *audience* empty means the API server's."""
    issued = int(now.timestamp())
    claims = {
        "aud": [audience or ISSUER],
        "exp": issued + int(LIFETIME.total_seconds()),
        "iat": issued,
        "iss": ISSUER,
        "kubernetes.io": {
            "namespace": namespace,
            "pod": {"name": pod},
            "serviceaccount": {"name": account},
        },
        "nbf": issued,
        "sub": f"system:serviceaccount:{namespace}:{account}",
    }
    signed = f"{_encoded({'alg': 'HS256', 'typ': 'JWT'})}.{_encoded(claims)}"
    signature = hmac.new(key, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{_base64(signature)}"


def _encoded(value: object) -> str:
    return _base64(json.dumps(value, separators=(",", ":")).encode())


def _base64(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
