"""Meters of this host: what it drew while it worked, and while it did nothing."""
