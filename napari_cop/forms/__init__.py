"""Forms for stacks, readings, comparisons, powers and acquisitions."""
