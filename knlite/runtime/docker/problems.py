"""What the engine says when it refuses, as sentences with a cause and a way out.

Reasons are those that a Kubernetes node reports for the same trouble. Source: kubernetes
pkg/kubelet/images/types.go and pkg/kubelet/container/sync_result.go (names only).
"""

from knlite.errors import InstanceFailed

LAST_LINES = 12
"""How much of a failed build's output is repeated."""


def engine_says(error: Exception) -> str:
    """The engine's own words, without the SDK's around them."""
    return str(getattr(error, "explanation", None) or error).strip()


def build_failed(folder: str, cause: str, output: list[str]) -> InstanceFailed:
    """A Dockerfile could not be built."""
    tail = "\n".join([*output[-LAST_LINES:], cause])
    if "requires BuildKit" in cause or "unknown flag: mount" in cause.lower():
        fix = (
            "the engine's API builds without BuildKit: leave `--mount` out, or build the image "
            "yourself with `docker build` and remove the Dockerfile's folder from what knlite reads"
        )
    elif _offline(cause):
        fix = "pull the base image while online (`docker pull …`), or correct its name after FROM"
    else:
        fix = f"`docker build {folder}` shows the same; correct the Dockerfile or its files"
    return InstanceFailed(
        "BuildFailed", f"The image of {folder} cannot be built", cause=tail, fix=fix
    )


def pull_failed(reference: str, cause: str) -> InstanceFailed:
    """An image is not there, and cannot be fetched."""
    if "invalid reference format" in cause:
        return InstanceFailed(
            "InvalidImageName",
            f'"{reference}" is no name of an image',
            cause=cause,
            fix="write it as [REGISTRY/]NAME[:TAG], in lower case",
        )
    if _offline(cause):
        fix = "the registry cannot be reached: go online, or load the image with `docker load`"
    elif "denied" in cause or "unauthorized" in cause:
        fix = f"correct the name, or `docker login` to where {reference} is kept"
    else:
        fix = f"correct the name, or build it: `docker build -t {reference} .`"
    return InstanceFailed(
        "ErrImagePull", f'Image "{reference}" cannot be pulled', cause=cause, fix=fix
    )


def base_missing(reference: str, failed: InstanceFailed) -> InstanceFailed:
    """The base image of a function is not there, and could not be pulled."""
    return InstanceFailed(
        failed.reason,
        f"The base image {reference} is not in the engine's store and cannot be pulled",
        cause=failed.cause,
        fix=f"`docker pull {reference}` while online, `docker load` or `docker import` it from a "
        "file, name another in func.yaml (build.baseImage), or use --runtime process",
    )


def no_base(folder: str, name: str, language: str) -> InstanceFailed:
    """A language for which knlite has no base image."""
    return InstanceFailed(
        "BuildFailed",
        f'Function "{name}" is written in {language}, and {folder} does not say what its image '
        "is built upon",
        fix="name an image with the language in func.yaml (build.baseImage) and the command in a "
        "Procfile (web: …), or write a Dockerfile",
    )


def no_command(folder: str, name: str, language: str) -> InstanceFailed:
    """A function of which knlite does not know how it is started."""
    return InstanceFailed(
        "BuildFailed",
        f'knlite does not know how "{name}", a {language} function, is started',
        cause=f"{folder} has neither a Dockerfile nor a Procfile",
        fix="write a Dockerfile, or a Procfile with a line such as 'web: ./server --port $PORT'",
    )


def unreadable(folder: str, cause: str) -> InstanceFailed:
    """A file of a function cannot be read, or changed while it was."""
    return InstanceFailed(
        "BuildFailed",
        f"The image of {folder} cannot be built: a file cannot be read",
        cause=cause,
        fix="make all files of the project readable, name those that it does not need in "
        ".funcignore, and apply it again",
    )


def links_out(folder: str, path: str, target: str) -> InstanceFailed:
    """A link that an image cannot hold."""
    return InstanceFailed(
        "BuildFailed",
        f"The image of {folder} cannot be built: {path} leads out of the project",
        cause=f"it is a link to {target}",
        fix="put the file itself there, make the link relative to a file of the project, or name "
        "it in .funcignore",
    )


def never_pulled(reference: str) -> InstanceFailed:
    """An image is not there, and may not be fetched."""
    return InstanceFailed(
        "ErrImageNeverPull",
        f'Container image "{reference}" is not present with pull policy of Never',
        cause="the engine's store does not hold it",
        fix=f"`docker pull {reference}`, or imagePullPolicy: IfNotPresent",
    )


def create_failed(instance: str, image: str, cause: str) -> InstanceFailed:
    """The engine refused the container's settings."""
    if "No command specified" in cause:
        fix = "give the container a command in the manifest, or the image a CMD"
    elif "is already in use" in cause:
        fix = f"remove what holds the name: `docker rm -f {instance}`"
    elif "No such image" in cause:
        fix = "it was removed meanwhile; apply the service again so that it is fetched or built"
    elif "memory limit" in cause:
        fix = "raise resources.limits.memory"
    else:
        fix = "correct the container's fields in the manifest"
    return InstanceFailed(
        "CreateContainerError",
        f"Instance {instance} of image {image} cannot be created",
        cause=cause,
        fix=fix,
    )


def start_failed(instance: str, image: str, cause: str) -> InstanceFailed:
    """The container was created, but its program could not be started."""
    if "no such file or directory" in cause or "executable file not found" in cause:
        fix = "correct command, args or workingDir; the program must exist inside the image"
    elif "permission denied" in cause:
        fix = "make the program executable inside the image (chmod +x before COPY)"
    elif "exec format error" in cause:
        fix = "the image is for another processor; build it for this machine's"
    else:
        fix = f"`docker run --rm {image}` shows whether the image starts at all"
    return InstanceFailed(
        "RunContainerError", f"Instance {instance} cannot be started", cause=cause, fix=fix
    )


def volumes_failed(instance: str, cause: str) -> InstanceFailed:
    """The engine did not make or fill the volumes of an instance."""
    return InstanceFailed(
        "FailedMount",
        f"The volumes of instance {instance} cannot be set up",
        cause=cause,
        fix="see whether the engine's disk is full (`docker system df`) and its log",
    )


def runs_as_root(container: str, image: str, user: str) -> InstanceFailed:
    """``runAsNonRoot`` meets an image that is root's, or whose user has a name only."""
    if user in ("", "0", "root"):
        what = "container has runAsNonRoot and image will run as root"
    else:
        what = (
            f"container has runAsNonRoot and image has non-numeric user ({user}), "
            "cannot verify user is non-root"
        )
    return InstanceFailed(
        "CreateContainerConfigError",
        f"{what} (container: {container})",
        fix=f"set securityContext.runAsUser, or a numeric USER in the image {image}",
    )


def init_failed(container: str, code: int, message: str) -> InstanceFailed:
    """An init container ended otherwise than well."""
    return InstanceFailed(
        "Init:Error",
        f'Init container "{container}" ended with exit code {code}',
        cause=message,
        fix="correct its image, command or environment; the instance starts once it succeeds",
    )


def engine_gone(what: str, cause: str) -> InstanceFailed:
    """The engine stopped answering in the middle."""
    return InstanceFailed(
        "EngineUnreachable",
        what,
        cause=cause,
        fix="see whether `docker info` answers; restart the engine",
    )


def _offline(cause: str) -> bool:
    signs = ("dial tcp", "no such host", "i/o timeout", "connection refused", "TLS handshake")
    return any(sign in cause for sign in signs)


def thaw_failed(container: str) -> InstanceFailed:
    """A frozen container could not be made to go on."""
    return InstanceFailed(
        "ThawFailed",
        f"the frozen container {container} does not go on",
        cause="the engine did not unpause it",
        fix="it is started anew; see the engine's log if this happens again",
    )
