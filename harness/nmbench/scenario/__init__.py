"""Traffic: who asks, when, and by which clock."""
