"""Side-by-side measurements, each printing a ratio: ``python -m benchmarks [NAME]``."""
