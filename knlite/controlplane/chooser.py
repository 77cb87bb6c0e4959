"""Chooses what runs each container of a pod, from what this run has.

Not here: the rule (``serving/workload.py``).
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from knlite.controlplane.wanted import Wanted, of_revision
from knlite.functions.project import ProjectError, read
from knlite.functions.service import NAME
from knlite.kinds.labels import FUNCTION
from knlite.kinds.podspec.fields import Container, leading_container
from knlite.kinds.serving.revision import Revision
from knlite.serving.code import code_of
from knlite.serving.workload import (
    Choice,
    FunctionProject,
    RuntimePolicy,
    Sources,
    Unrunnable,
    choose,
)


class Chooser:
    """Goes by *policy*; *no_engine* says why no engine can be used, and is empty if one answers.

    Functions that are named by their folder may refer to variables of *environ*.
    """

    def __init__(self, policy: RuntimePolicy, environ: Mapping[str, str]) -> None:
        self._policy = policy
        self._environ = environ
        self.no_engine = ""
        self.sources = Sources()
        """The code that the files at hand bring along."""
        self.live: dict[str, str] = {}
        """The digest of the newest code in each folder whose code changes without new revisions."""

    def choose(self, wanted: Wanted, container: Container) -> Choice | Unrunnable:
        """What runs *container* of *wanted*, and where."""
        leads = wanted.leads(container)
        sources = self.sources
        if leads and sources.project_of(container.image) is None:
            deployed = self._deployed(wanted)
            if isinstance(deployed, Unrunnable):
                return deployed
            if deployed is not None:
                sources = replace(sources, projects=(replace(deployed, image=container.image),))
        found = choose(
            image=container.image,
            pull_policy=container.image_pull_policy,
            # A command, or the Dockerfile beside the manifest, is of what serves.
            annotations=wanted.annotations if leads else {},
            namespace=wanted.namespace,
            manifest=wanted.manifest if leads else "",
            sources=sources,
            policy=self._policy,
            no_engine=self.no_engine,
        )
        if isinstance(found, Choice) and isinstance(found.workload, FunctionProject):
            code = self.live.get(found.workload.folder) or code_of(wanted.annotations)
            return replace(found, workload=replace(found.workload, code=code))
        return found

    def told(self, revision: Revision) -> str:
        """What runs *revision*, in words; why nothing does, if nothing can."""
        container = leading_container(revision.spec)
        if container is None:
            return ""
        found = self.choose(of_revision(revision), container)
        return found.message if isinstance(found, Unrunnable) else found.why

    def _deployed(self, wanted: Wanted) -> FunctionProject | Unrunnable | None:
        """The function that *wanted* was deployed as, whatever its image is called."""
        folder = wanted.annotations.get(FUNCTION, "")
        if folder:
            if not Path(folder).is_dir():
                return Unrunnable(
                    "FolderMissing",
                    f"the function was deployed from {folder}, which is not there; bring it back, "
                    "or deploy it from a folder that knlite sees",
                )
            project = read(Path(folder), _OrEmpty(self._environ))
            if isinstance(project, ProjectError):
                return Unrunnable("FunctionInvalid", f"what was deployed cannot run: {project}")
            # Its Service has all variables, those that were given for the deployment among them.
            return replace(project, envs={})
        # func writes the image into func.yaml after it has deployed it, so that it is not yet there
        # for the first time.
        name = wanted.labels.get(NAME, "")
        return next((each for each in self.sources.projects if name and each.name == name), None)


class _OrEmpty(dict[str, str]):
    """Variables of which those that are not there are empty: whoever deployed had them."""

    def __contains__(self, key: object) -> bool:
        return True

    def __missing__(self, key: str) -> str:
        return ""
