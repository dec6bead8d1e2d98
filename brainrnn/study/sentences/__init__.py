"""What is said of a question that has more to say than a few sentences; a file for each."""
