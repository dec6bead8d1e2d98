"""What is drawn of a question that has more to show than a few lines, and each caption."""
