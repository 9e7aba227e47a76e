"""Files and batches that are old go, some at a time, each in a transaction of its tenant."""
