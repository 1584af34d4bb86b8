"""How language models are tested: a model is asked the questions of a method, and each answer is kept and judged."""
