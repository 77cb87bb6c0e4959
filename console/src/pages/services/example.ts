/** The smallest service there is, for whoever has none yet. */
export const EXAMPLE = `apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: hello
spec:
  template:
    metadata:
      annotations:
        knlite.dev/command: python3 -m http.server $PORT
    spec:
      containers:
        - image: example.com/hello
`;
