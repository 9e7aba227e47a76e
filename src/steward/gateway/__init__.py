"""The edge: authenticates, limits and shapes every HTTP request, and mounts the services' routes."""
