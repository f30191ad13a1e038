"""Real sets as others published them: read from their files, through tonic."""
