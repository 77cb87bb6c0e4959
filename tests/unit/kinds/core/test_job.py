"""Defaults and rules of Jobs (Kubernetes ``pkg/apis/batch``)."""

import pytest
from msgspec.structs import replace

from knlite.kinds.config.bundle import Config
from knlite.kinds.core.job import Job, JobSpec, completions_column, defaulted, validated
from knlite.kinds.core.podtemplate import PodTemplate
from knlite.kinds.fielderror import rendered
from knlite.kinds.meta import ObjectMeta
from knlite.kinds.podspec.fields import Container, PodSpec

CONFIG = Config()


def job(policy: str = "Never", **spec: object) -> Job:
    pod = PodSpec(containers=(Container(name="main", image="a"),), restart_policy=policy)
    whole = replace(JobSpec(template=PodTemplate(spec=pod)), **spec)
    return Job(metadata=ObjectMeta(name="once", namespace="shop"), spec=whole)


def complaints(obj: Job, old: Job | None = None) -> str:
    return rendered(validated(defaulted(obj, old, CONFIG), old, CONFIG))


def test_it_gets_kubernetes_defaults() -> None:
    spec = defaulted(job(), None, CONFIG).spec
    assert (spec.parallelism, spec.completions, spec.backoff_limit) == (1, 1, 6)
    assert (spec.suspend, spec.completion_mode) == (False, "NonIndexed")
    assert spec.selector is not None
    assert spec.selector.match_labels == {"batch.kubernetes.io/job-name": "once"}
    queue = defaulted(job(parallelism=3), None, CONFIG)
    assert (queue.spec.parallelism, queue.spec.completions) == (3, None)
    assert completions_column(queue) == "0/1 of 3"


@pytest.mark.parametrize(
    ("obj", "words"),
    [
        pytest.param(job(), "", id="good"),
        pytest.param(
            job(policy=""),
            'Required value: valid values: "OnFailure", "Never": spec.template.spec.restartPolicy',
            id="no policy",
        ),
        pytest.param(job(policy="Always"), "Required value: valid values", id="always"),
        pytest.param(job(backoff_limit=-1), "spec.backoffLimit", id="limit"),
        pytest.param(job(completion_mode="Indexed"), "spec.completionMode", id="indexed"),
        pytest.param(job(success_policy={}), "spec.successPolicy", id="policy of success"),
    ],
)
def test_what_is_wrong_is_named(obj: Job, words: str) -> None:
    found = complaints(obj)
    assert words in found
    assert bool(found) == bool(words)


def test_only_how_many_at_a_time_and_how_long_may_change() -> None:
    old = defaulted(job(), None, CONFIG)
    spec = replace(old.spec, parallelism=4, active_deadline_seconds=5, suspend=True)
    assert complaints(replace(old, spec=spec), old) == ""
    changed = replace(old, spec=replace(old.spec, completions=7))
    assert "field is immutable" in complaints(changed, old)
