"""The messages of pods, and of what makes them.

A line is a message: each field with its type (text if there is none) and number. ``*`` marks those
that repeat, ``+`` those whose fields are written among the others in JSON.

Source: k8s.io/api ``core/v1``, ``apps/v1``, ``batch/v1`` (``generated.proto``).
"""

import re
from collections.abc import Iterator, Mapping

from knlite.apiserver.protobufmessages import META, Field, Message, Whole

_MESSAGES = """
Name: name=1
Object: +ref:Name=1 optional:bool=2
Key: +ref:Name=1 key=2 optional:bool=3
FieldRef: apiVersion=1 fieldPath=2
ResourceRef: containerName=1 resource=2 divisor:quantity=3
Path: key=1 path=2 mode:int=3
Paths: +ref:Name=1 *items:Path=2 optional:bool=4
DownwardFile: path=1 fieldRef:FieldRef=2 resourceFieldRef:ResourceRef=3 mode:int=4
DownwardFiles: *items:DownwardFile=1
TokenFile: audience=1 expirationSeconds:int=2 path=3
Projection: secret:Paths=1 downwardAPI:DownwardFiles=2 configMap:Paths=3 serviceAccountToken:TokenFile=4
HostPath: path=1 type=2
EmptyDir: medium=1 sizeLimit:quantity=2
SecretVolume: secretName=1 *items:Path=2 defaultMode:int=3 optional:bool=4
Claim: claimName=1 readOnly:flag=2
DownwardVolume: *items:DownwardFile=1 defaultMode:int=2
ConfigMapVolume: +ref:Name=1 *items:Path=2 defaultMode:int=3 optional:bool=4
Projected: *sources:Projection=1 defaultMode:int=2
Source: hostPath:HostPath=1 emptyDir:EmptyDir=2 secret:SecretVolume=6 persistentVolumeClaim:Claim=10 downwardAPI:DownwardVolume=16 configMap:ConfigMapVolume=19 projected:Projected=26
Volume: name=1 +source:Source=2
Port: name=1 hostPort:count=2 containerPort:int=3 protocol=4 hostIP=5
ValueFrom: fieldRef:FieldRef=1 resourceFieldRef:ResourceRef=2 configMapKeyRef:Key=3 secretKeyRef:Key=4
Variable: name=1 value=2 valueFrom:ValueFrom=3
Variables: prefix=1 configMapRef:Object=2 secretRef:Object=3
Resources: limits:quantities=1 requests:quantities=2
Mount: name=1 readOnly:flag=2 mountPath=3 subPath=4 mountPropagation=5 subPathExpr=6 recursiveReadOnly=7
Header: name=1 value=2
Exec: *command=1
HTTPGet: path=1 port:port=2 host=3 scheme=4 *httpHeaders:Header=5
TCPSocket: port:port=1 host=2
GRPC: port:int=1 service=2
Handler: exec:Exec=1 httpGet:HTTPGet=2 tcpSocket:TCPSocket=3 grpc:GRPC=4
Probe: +handler:Handler=1 initialDelaySeconds:count=2 timeoutSeconds:count=3 periodSeconds:count=4 successThreshold:count=5 failureThreshold:count=6 terminationGracePeriodSeconds:int=7
Capabilities: *add=1 *drop=2
Seccomp: type=1 localhostProfile=2
Security: capabilities:Capabilities=1 privileged:bool=2 runAsUser:int=4 runAsNonRoot:bool=5 readOnlyRootFilesystem:bool=6 allowPrivilegeEscalation:bool=7 runAsGroup:int=8 procMount=9 seccompProfile:Seccomp=11
Container: name=1 image=2 *command=3 *args=4 workingDir=5 *ports:Port=6 *env:Variable=7 resources:Resources=8 *volumeMounts:Mount=9 livenessProbe:Probe=10 readinessProbe:Probe=11 terminationMessagePath=13 imagePullPolicy=14 securityContext:Security=15 stdin:flag=16 stdinOnce:flag=17 tty:flag=18 *envFrom:Variables=19 terminationMessagePolicy=20 startupProbe:Probe=22 restartPolicy=24
PodSecurity: runAsUser:int=2 runAsNonRoot:bool=3 *supplementalGroups:int=4 fsGroup:int=5 runAsGroup:int=6 fsGroupChangePolicy=9 seccompProfile:Seccomp=10
Toleration: key=1 operator=2 value=3 effect=4 tolerationSeconds:int=5
Pod: *volumes:Volume=1 *containers:Container=2 restartPolicy=3 terminationGracePeriodSeconds:int=4 activeDeadlineSeconds:int=5 dnsPolicy=6 nodeSelector:map=7 serviceAccountName=8 serviceAccount=9 nodeName=10 hostNetwork:flag=11 hostPID:flag=12 hostIPC:flag=13 securityContext:PodSecurity=14 *imagePullSecrets:Name=15 hostname=16 subdomain=17 schedulerName=19 *initContainers:Container=20 automountServiceAccountToken:bool=21 *tolerations:Toleration=22 priorityClassName=24 priority:int=25 shareProcessNamespace:bool=27 runtimeClassName=29 enableServiceLinks:bool=30
Template: metadata:META=1 spec:Pod=2
Requirement: key=1 operator=2 *values=3
Selector: matchLabels:map=1 *matchExpressions:Requirement=2
RollingUpdate: maxUnavailable:port=1 maxSurge:port=2
Strategy: type=1 rollingUpdate:RollingUpdate=2
DeploymentSpec: replicas:int=1 selector:Selector=2 template:Template=3 strategy:Strategy=4 minReadySeconds:count=5 revisionHistoryLimit:int=6 paused:flag=7 progressDeadlineSeconds:int=9
JobSpec: parallelism:int=1 completions:int=2 activeDeadlineSeconds:int=3 selector:Selector=4 manualSelector:bool=5 template:Template=6 backoffLimit:int=7 ttlSecondsAfterFinished:int=8 completionMode=9 suspend:bool=10 podReplacementPolicy=14
JobTemplate: metadata:META=1 spec:JobSpec=2
CronJobSpec: schedule=1 startingDeadlineSeconds:int=2 concurrencyPolicy=3 suspend:bool=4 jobTemplate:JobTemplate=5 successfulJobsHistoryLimit:int=6 failedJobsHistoryLimit:int=7 timeZone=8
"""  # noqa: E501
_FIELD = re.compile(r"(?P<mark>[*+]?)(?P<name>\w+)(:(?P<type>\w+))?=(?P<number>\d+)")
_TYPES = {
    "int": "integer",
    "bool": "boolean",
    "quantities": "quantity map",
    "port": "number or name",
}


def _messages() -> Mapping[str, Message]:
    read: dict[str, Message] = {"META": META}
    for line in _MESSAGES.strip().splitlines():
        name, _, fields = line.partition(": ")
        read[name] = Whole(_fields(fields, read))
    return read


def _fields(text: str, read: Mapping[str, Message]) -> Iterator[tuple[int, Field]]:
    for each in _FIELD.finditer(text):
        named = each["type"] or "text"
        type_ = read.get(named) or _TYPES.get(named, named)
        field = Field(each["name"], type_, each["mark"] == "*", each["mark"] == "+")
        yield int(each["number"]), field


_READ = _messages()


def _kind(spec: str) -> Message:
    # What a client says of a status is not read.
    return {1: Field("metadata", META), 2: Field("spec", _READ[spec])}


KINDS: Mapping[tuple[str, str], Message] = {
    ("apps/v1", "Deployment"): _kind("DeploymentSpec"),
    ("batch/v1", "Job"): _kind("JobSpec"),
    ("batch/v1", "CronJob"): _kind("CronJobSpec"),
}
