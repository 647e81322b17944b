"""Tables, due queries and bulk writes: the only code that knows SQL."""
