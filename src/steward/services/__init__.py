"""One folder a bounded context; a service imports another service's `api` module and nothing else of it."""
