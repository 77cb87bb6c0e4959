"""Chooses what runs each container of a pod, from what this run has.

Not here: the rule (``serving/workload.py``).
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from knlite.controlplane.wanted import Wanted
from knlite.functions.project import ProjectError, read
from knlite.functions.service import NAME
from knlite.kinds.labels import FUNCTION
from knlite.kinds.podspec.fields import Container
from knlite.serving.code import code_of
from knlite.serving.imagename import same_image
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

    def choose(self, wanted: Wanted, container: Container) -> Choice | Unrunnable:
        """What runs *container* of *wanted*, and where."""
        leads = wanted.leads(container)
        sources = self.sources
        if leads and not any(same_image(each.image, container.image) for each in sources.projects):
            deployed = self._deployed(wanted)
            if isinstance(deployed, ProjectError):
                return Unrunnable("FunctionInvalid", f"the function of {FUNCTION}: {deployed}")
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
        code = code_of(wanted.annotations)
        if code and isinstance(found, Choice) and isinstance(found.workload, FunctionProject):
            return replace(found, workload=replace(found.workload, code=code))
        return found

    def _deployed(self, wanted: Wanted) -> FunctionProject | ProjectError | None:
        """The function that *wanted* was deployed as, whatever its image is called."""
        folder = wanted.annotations.get(FUNCTION, "")
        if folder:
            project = read(Path(folder), self._environ)
            # Its Service has all variables, those that were given for the deployment among them.
            return project if isinstance(project, ProjectError) else replace(project, envs={})
        # func writes the image into func.yaml after it has deployed it, so that it is not yet there
        # for the first time.
        name = wanted.labels.get(NAME, "")
        return next((each for each in self.sources.projects if name and each.name == name), None)
