"""Networks of formulas and of points in the plane: structures, formulas, pruning, pictures."""
