"""Pictures and tables of numbers that anyone can read: on a phone, on paper, in the dark, or through a screen reader.

Every chart is a frozen value with two faces made from the same numbers: ``svg(language)``, drawn on the server without
any script, and ``table(language)``. All words are escaped where they are drawn.
"""
