"""Networks as NIR graphs with a dialect, and as the arrays that simulators and models read."""
