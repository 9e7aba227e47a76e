"""The kit: what every service stands on. It knows no feature and imports no service."""
