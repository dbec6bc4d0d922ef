//! The token webhook: the API servers ask it about our EKS tokens.
