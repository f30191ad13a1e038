"""nmbench: benchmarks for neuromorphic hardware and simulators, in the style of MLPerf."""

__version__ = "0.1.0"
