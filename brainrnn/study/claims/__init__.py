"""The claims of each measure: which it makes, and the tests that decide."""
