"""Data sheets: what each workload's data are, where they come from and where they end."""
