"""Sources of labelled event streams, synthetic and real, and what is done to them before a network."""
