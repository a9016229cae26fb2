"""Live: stacks that grow while they are read."""
