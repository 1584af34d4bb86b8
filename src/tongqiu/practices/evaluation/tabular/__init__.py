"""What lies behind a score: whether it means what it says, what it hangs on, what shakes it, what it gives away, and how it moves."""
