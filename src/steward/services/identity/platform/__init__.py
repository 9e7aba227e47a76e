"""What identity does across tenants: lock-out by address, signing keys, last use, housekeeping."""
