"""What CESQL expressions mean for an event: evaluation without exceptions, and explanation."""
