"""The dialects on the wire: pure conversion between their JSON and the message model, without any I/O."""
