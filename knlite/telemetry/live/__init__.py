"""What happens now, for those who look: the live feed of the console and of ``knlite top``."""
