"""What people look at: frames, tables and figures."""
