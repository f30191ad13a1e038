"""A cell in a process of its own: its crash, its hang and its hunger for memory become a failed record."""
