"""Groups of parts that belong together, built and joined; the emulator joins the groups."""
