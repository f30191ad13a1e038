"""What a skin feels: tactile sensors whose readings become events."""
