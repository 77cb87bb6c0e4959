/** What new objects may begin with. */
export const TEMPLATES: Readonly<Record<string, string>> = {
  Service: `apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: hello
spec:
  template:
    spec:
      containers:
        - image: example.com/hello
          env:
            - name: TARGET
              value: World
`,
  Broker: `apiVersion: eventing.knative.dev/v1
kind: Broker
metadata:
  name: default
`,
  Trigger: `apiVersion: eventing.knative.dev/v1
kind: Trigger
metadata:
  name: orders
spec:
  broker: default
  filters:
    - exact:
        type: order.placed
  subscriber:
    ref:
      apiVersion: serving.knative.dev/v1
      kind: Service
      name: hello
`,
  PingSource: `apiVersion: sources.knative.dev/v1
kind: PingSource
metadata:
  name: every-minute
spec:
  schedule: "* * * * *"
  contentType: application/json
  data: '{"message": "Hello"}'
  sink:
    ref:
      apiVersion: eventing.knative.dev/v1
      kind: Broker
      name: default
`,
  ConfigMap: `apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
data:
  key: value
`,
  Secret: `apiVersion: v1
kind: Secret
metadata:
  name: keys
stringData:
  password: change-me
`,
};
