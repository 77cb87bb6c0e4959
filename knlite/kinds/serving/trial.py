"""What a trial run (``dryRun=All``) checks beyond the rules of Knative: would the pod be accepted?

Knative's webhook then asks the API server for a Pod, without storing it. Otherwise such mistakes
show when the first instance is to start (``serving/support.py``).

Source: knative/serving ``pkg/webhook/{podspec_dryrun,validate_unstructured}.go``; Knative reference
§0.2. Not here: what Kubernetes refuses (``podspec/problems.py``).
"""

from knlite.kinds.fielderror import Errors, generic
from knlite.kinds.labels import SERVICE
from knlite.kinds.meta import Object
from knlite.kinds.podspec.problems import pod_problems
from knlite.kinds.serving.configuration import Configuration
from knlite.kinds.serving.service import Service
from knlite.kinds.webhooks import TRIAL

_NAME = "dry-run-validation"


def trial_errors(obj: Object) -> Errors:
    """Why no instance of *obj* could start; a Configuration of a Service is not looked at twice."""
    match obj:
        case Service():
            pod = obj.spec.template.spec
        case Configuration() if not obj.metadata.labels.get(SERVICE):
            pod = obj.spec.template.spec
        case _:
            return ()
    problems = pod_problems(pod)
    if not problems:
        return ()
    text = problems[0] if len(problems) == 1 else f"[{', '.join(problems)}]"
    return (generic(f'{TRIAL}Pod "{_NAME}" is invalid: {text}', "spec.template"),)
