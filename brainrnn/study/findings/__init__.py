"""What the findings of all measures are made of: tables, tests, sentences and figures."""
