"""The only code that talks to the outside: mail and payment providers."""
