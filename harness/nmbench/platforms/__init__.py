"""What a workload can be put on: measured and modelled platforms behind one contract."""
