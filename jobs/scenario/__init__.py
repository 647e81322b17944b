"""Scenario files: stories of customers and days that are read, played and checked."""
