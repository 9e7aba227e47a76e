"""Training of classifiers: programs that run beside the server, and what the server starts them with."""
