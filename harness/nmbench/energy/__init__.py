"""The models price: cards of constants, the mapper and the cost equations."""
