"""What is asked for: stacks, readings, comparisons, powers, acquisitions."""
