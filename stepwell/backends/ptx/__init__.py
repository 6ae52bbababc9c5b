"""PTX: its text, and a simulator that executes it where there is no GPU."""
