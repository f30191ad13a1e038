"""What an event camera sees: real pictures and drawn figures under a simulated sensor."""
