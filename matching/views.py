"""The steward's pages of matching: the pair to review, and the search for duplicates."""
