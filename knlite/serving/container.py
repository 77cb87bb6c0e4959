"""What one container of an instance gets and may do, as both sides of a runtime speak of it.

Source: Kubernetes core/v1 Container; Knative reference §1.6, §4.
"""

from dataclasses import dataclass

TERMINATION_LOG = "/dev/termination-log"
"""Where a program may leave its last words, unless its manifest names another path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Resources of one container; None means unlimited, or nothing asked for."""

    cpus: float | None = None
    memory: int | None = None
    """Bytes."""
    cpu_request: float | None = None
    """The share that it gets when processors are scarce."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Security:
    """Who a container's program is and what it may do; None leaves it to image and runtime."""

    user: int | None = None
    group: int | None = None
    supplemental_groups: tuple[int, ...] = ()
    non_root: bool = False
    """Refuse to run it as user 0."""
    read_only_root: bool = False
    escalation: bool | None = None
    """Whether a program may gain rights that its parent has not (setuid)."""
    add: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    """Linux capabilities, without ``CAP_``; ``ALL`` means each."""
    seccomp: str = ""
    """``Unconfined``, or empty for the runtime's own profile."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """A volume of the instance at an absolute path of one container."""

    volume: str
    path: str
    sub_path: str = ""
    """Relative, without ``..``: only this part of the volume."""
    read_only: bool = False
