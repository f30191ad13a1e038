"""The simulator counts: a NumPy reference and the Numba kernels that equal it spike for spike."""
