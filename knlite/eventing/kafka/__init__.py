"""Kafka's side of Eventing: topics, groups, records; values only, no connection."""
