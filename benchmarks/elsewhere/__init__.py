"""Invented people unlike our customers: other countries, other centuries, firms, tills.

Each set is made from its seed alone, with the slips that its kind of file is known for, so that
figures can be taken anew.
"""
