"""The daily work: what is due, found and done."""
