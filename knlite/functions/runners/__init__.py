"""Programs that run inside an instance, with the function's interpreter; never imported here."""
