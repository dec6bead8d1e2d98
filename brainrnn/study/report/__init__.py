"""What reports are made of: claims, tables, tests over networks, figures, and pages."""
