"""The rulebook this product follows, and ships: every decision it explains names one of these rules."""

from app.rules.reader import Rule, UnknownRule, find, rules

__all__ = ["Rule", "UnknownRule", "find", "rules"]
