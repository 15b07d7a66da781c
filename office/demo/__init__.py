"""A repeatable estate for demonstrations and tests, posted through the services like anything else."""
