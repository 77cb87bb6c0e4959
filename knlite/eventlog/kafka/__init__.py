"""Events kept in Apache Kafka: a topic for each resource, a consumer group for each reader."""
