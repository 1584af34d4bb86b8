"""Law and standards as dated data: packs of rules that anyone can read, check and replace without changing code."""
