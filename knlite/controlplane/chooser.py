"""Chooses what runs each container of a pod, from what this run has.

Not here: the rule (``serving/workload.py``).
"""

from knlite.controlplane.wanted import Wanted
from knlite.kinds.podspec.fields import Container
from knlite.serving.workload import Choice, RuntimePolicy, Sources, Unrunnable, choose


class Chooser:
    """Goes by *policy*; *no_engine* says why no engine can be used, and is empty if one answers."""

    def __init__(self, policy: RuntimePolicy) -> None:
        self._policy = policy
        self.no_engine = ""
        self.sources = Sources()
        """The code that the files at hand bring along."""

    def choose(self, wanted: Wanted, container: Container) -> Choice | Unrunnable:
        """What runs *container* of *wanted*, and where."""
        leads = wanted.leads(container)
        return choose(
            image=container.image,
            pull_policy=container.image_pull_policy,
            # A command, or the Dockerfile beside the manifest, is of what serves.
            annotations=wanted.annotations if leads else {},
            namespace=wanted.namespace,
            manifest=wanted.manifest if leads else "",
            sources=self.sources,
            policy=self._policy,
            no_engine=self.no_engine,
        )
