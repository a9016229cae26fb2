"""Reading of a stack while it is acquired."""
