"""The tables of each measure that take more than a line, from the rows of its answers."""
