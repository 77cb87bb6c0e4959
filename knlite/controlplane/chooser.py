"""Chooses what runs each container of a revision, from what this run has.

Not here: the rule (``serving/workload.py``).
"""

from knlite.kinds.labels import CONFIGURATION, SERVICE
from knlite.kinds.podspec.fields import Container, serving_container
from knlite.kinds.serving.revision import Revision
from knlite.serving.workload import Choice, RuntimePolicy, Sources, Unrunnable, choose


class Chooser:
    """Goes by *policy*; *no_engine* says why no engine can be used, and is empty if one answers."""

    def __init__(self, policy: RuntimePolicy) -> None:
        self._policy = policy
        self.no_engine = ""
        self.sources = Sources()
        """The code that the files at hand bring along."""

    def choose(self, revision: Revision, container: Container) -> Choice | Unrunnable:
        """What runs *container* of *revision*, and where."""
        meta = revision.metadata
        serves = container is serving_container(revision.spec)
        service = meta.labels.get(SERVICE) or meta.labels.get(CONFIGURATION, "")
        return choose(
            image=container.image,
            pull_policy=container.image_pull_policy,
            # A command, or the Dockerfile beside the manifest, is of what serves.
            annotations=meta.annotations if serves else {},
            namespace=meta.namespace,
            service=service if serves else "",
            sources=self.sources,
            policy=self._policy,
            no_engine=self.no_engine,
        )
