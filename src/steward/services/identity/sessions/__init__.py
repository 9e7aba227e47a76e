"""Sessions: log-in, refreshing, ending, and whom a credential speaks for."""
