"""How sure a number is: units, intervals, standard errors, and verdicts that wait for the whole interval.

This room is pure arithmetic on the standard library. Each function names the paper, clause or formula it follows, so
that a reader with a pencil can check it; the tests hold every function to published figures and to a second
implementation.
"""
