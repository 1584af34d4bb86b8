"""Evaluation: how well an AI system decides, and how it treats groups of people, with honest uncertainty."""
