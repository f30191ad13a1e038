"""The clock-driven engine with accumulators in vector registers, for processors with AVX-512."""
