"""Names: the syntax of DNS labels and subdomains, and how names of children are made.

Source: Kubernetes ``apimachinery/pkg/util/validation``,
``pkg/api/validate/content``; knative/pkg ``kmeta/names.go``; Knative
reference §1.2, §1.8, Eventing reference §1.2.
"""

import hashlib
import re

_LABEL_1123 = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", re.ASCII)
_LABEL_1035 = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?", re.ASCII)
_SUBDOMAIN_1123 = re.compile(
    r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*", re.ASCII
)
_QUALIFIED = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]", re.ASCII)
_LABEL_VALUE = re.compile(rf"({_QUALIFIED.pattern})?", re.ASCII)
MAX_LABEL = 63
MAX_SUBDOMAIN = 253

_LABEL_1123_TEXT = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must"
    " start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for"
    " validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
)
_LABEL_1035_TEXT = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an"
    " alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123',"
    " regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')"
)
_SUBDOMAIN_1123_TEXT = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.',"
    " and must start and end with an alphanumeric character (e.g. 'example.com', regex used for"
    r" validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_QUALIFIED_TEXT = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an"
    " alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for"
    " validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)

_LABEL_VALUE_TEXT = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.',"
    " and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or"
    " '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)


def label_1123_problems(text: str) -> tuple[str, ...]:
    """Why *text* is not a DNS-1123 label, in Kubernetes' words; empty if it is one."""
    return _problems(text, _LABEL_1123, MAX_LABEL, _LABEL_1123_TEXT)


def label_1035_problems(text: str) -> tuple[str, ...]:
    """Why *text* is not a DNS-1035 label, in Kubernetes' words; empty if it is one."""
    return _problems(text, _LABEL_1035, MAX_LABEL, _LABEL_1035_TEXT)


def subdomain_1123_problems(text: str) -> tuple[str, ...]:
    """Why *text* is not a DNS-1123 subdomain, in Kubernetes' words; empty if it is one."""
    return _problems(text, _SUBDOMAIN_1123, MAX_SUBDOMAIN, _SUBDOMAIN_1123_TEXT)


def domain_problem(field: str, text: str) -> str:
    """Why *text*, the value of *field*, is no fully qualified domain name; empty if it is one."""
    if not text:
        return f"{field}: Required value"
    domain = text.removesuffix(".")
    value, problems = domain, subdomain_1123_problems(domain)
    labels = domain.split(".")
    if not problems and len(labels) < 2:
        problems = ("should be a domain with at least two segments separated by dots",)
    for label in labels:
        # A subdomain consists of labels; nothing but their length is left to be wrong.
        if not problems and len(label) > MAX_LABEL:
            value, problems = label, label_1123_problems(label)
    return f'{field}: Invalid value: "{value}": {",".join(problems)}' if problems else ""


def qualified_name_problems(text: str) -> tuple[str, ...]:
    """Why *text* is not a name with an optional prefix (``example.com/name``), as label keys are.

    In Kubernetes' words; empty if it is one.
    """
    prefix, slash, name = text.rpartition("/")
    if "/" in prefix:
        suffix = "with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        return (f"a valid label key {_QUALIFIED_TEXT} {suffix}",)
    problems: list[str] = []
    if slash and not prefix:
        problems.append("prefix part must be non-empty")
    elif slash:
        problems += (f"prefix part {each}" for each in subdomain_1123_problems(prefix))
    if not name:
        problems.append("name part must be non-empty")
    problems += (
        f"name part {each}" for each in _problems(name, _QUALIFIED, MAX_LABEL, _QUALIFIED_TEXT)
    )
    return tuple(problems)


def label_value_problems(text: str) -> tuple[str, ...]:
    """Why *text* is not the value of a label, in Kubernetes' words; empty if it is one."""
    return _problems(text, _LABEL_VALUE, MAX_LABEL, _LABEL_VALUE_TEXT)


def child_name(parent: str, suffix: str) -> str:
    """*parent* + *suffix*, shortened with a hash of the parent when over 63 characters.

    Where the suffix has to be cut as well, what is left ends with a letter or a digit.
    """
    if len(parent) + len(suffix) <= MAX_LABEL:
        return parent + suffix
    head_length = MAX_LABEL - 32 - len(suffix)
    if head_length > 0:
        return parent[:head_length] + _md5(parent) + suffix
    cut = (parent[:31] + _md5(parent + suffix) + suffix)[:MAX_LABEL]
    return cut.rstrip("-._")


def _problems(
    text: str, syntax: re.Pattern[str], longest: int, explanation: str
) -> tuple[str, ...]:
    problems = []
    if len(text) > longest:
        problems.append(f"must be no more than {longest} characters")
    if not syntax.fullmatch(text):
        problems.append(explanation)
    return tuple(problems)


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
