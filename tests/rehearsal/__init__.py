"""Three practices that exist only to try the contract: a wire protocol, a recognition between nodes, a negotiation."""
