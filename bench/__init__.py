"""Measurements: what a day costs, as ratios within one run."""
