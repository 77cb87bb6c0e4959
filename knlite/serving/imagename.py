"""Names of images, taken apart and compared.

``kn service update`` writes the digest that a revision's status gives into the next template
(``--lock-to-digest``), so one image is named in several ways.

Source: the reference grammar of the OCI distribution specification; Docker Hub's short names.
Not here: whether a text names an image (``kinds/podspec/imagereference.py``).
"""

_HUB = ("index.docker.io/", "docker.io/")


def without_digest(image: str) -> str:
    """*image* without ``@sha256:…``."""
    return image.partition("@")[0]


def without_tag(image: str) -> str:
    """The repository of *image*: neither tag nor digest."""
    name = without_digest(image)
    head, slash, last = name.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"


def at_digest(image: str, digest: str) -> str:
    """``REPOSITORY@DIGEST``."""
    return f"{without_tag(image)}@{digest}"


def registry_of(image: str) -> str:
    """The host that keeps *image*; ``index.docker.io`` for a name without one."""
    first, slash, _ = image.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return "index.docker.io" if first == "docker.io" else first
    return "index.docker.io"


def same_repository(one: str, other: str) -> bool:
    """Whether two names without tags mean one repository."""
    return _shortened(one) == _shortened(other)


def names_of(declared: str) -> tuple[str, ...]:
    """What an image that is *declared* so is asked for as: by its tag, or by any digest of it.

    One of these is among ``asked_as`` of whatever names it.
    """
    if not declared:
        return ()
    if "@" in declared:
        return (_tagged(declared),)
    return (_tagged(declared), f"{_shortened(without_tag(declared))}@")


def asked_as(image: str) -> tuple[str, ...]:
    """What *image* may be declared as: a short name with its tag, or, with any tag, one that ends
    in ``@``."""
    if "@" in image:
        return (_tagged(image), f"{_shortened(without_tag(image))}@")
    return (_tagged(image),)


def _tagged(image: str) -> str:
    """*image* in its short form, with its tag written out."""
    name = _shortened(image)
    return name if ":" in name.rpartition("/")[2] or "@" in name else f"{name}:latest"


def _shortened(image: str) -> str:
    for prefix in _HUB:
        image = image.removeprefix(prefix)
    return image.removeprefix("library/")
