"""The proof pack of a person: for what she may be contacted, all that is behind it, its seals."""
