"""What makes a Broker ready: one module for each class of Brokers, or for those that share it."""
