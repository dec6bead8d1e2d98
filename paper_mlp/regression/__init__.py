"""Transformers that learn linear regression in context: predictions, probes, attention, paths."""
