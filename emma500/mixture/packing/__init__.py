"""Rows of fixed length in an order that is a function of the plan, the seed and the row."""
