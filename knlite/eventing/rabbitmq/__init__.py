"""RabbitMQ as Knative uses it: names, bindings and messages; no I/O."""
