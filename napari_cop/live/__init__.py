"""A stack that is read while it is acquired."""
