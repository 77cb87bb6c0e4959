"""What a Trigger needs to deliver, by the class of its Broker."""
