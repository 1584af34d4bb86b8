"""Opening what strangers send without being harmed by it, and finding in it what must not leak.

Every reader here treats its input as hostile: sizes, depths and counts are bounded, links are not followed out of a
folder, nothing is executed, and no message ever repeats a personal value.
"""
