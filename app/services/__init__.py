"""Use cases: load, decide by the domain, write rows and intents in one transaction."""
