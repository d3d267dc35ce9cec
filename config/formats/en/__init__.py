"""English as Europeans read it."""
