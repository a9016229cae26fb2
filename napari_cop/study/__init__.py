"""A whole study: a folder becomes a plan, the plan a report."""
