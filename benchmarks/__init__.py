"""Achieved figures beside their limits: what this software costs, measured by commands that anyone can run again."""
