"""The senders behind sources: when events go out, and what happens when they are not taken."""
