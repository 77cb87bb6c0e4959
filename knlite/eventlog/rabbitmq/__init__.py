"""The engine that keeps events on a RabbitMQ server."""
