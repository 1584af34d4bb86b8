"""The shelf of built-in test methods for systems that answer in words: their questions, their judges, their proof."""
