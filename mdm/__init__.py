"""The ground: sources, source records, customers, golden records, jobs and the audit trail.

Owns what a customer is and where each value comes from. Leaves "are these two the same person?"
to `matching`, "may we contact her?" to `consent`, and lists to `campaigns`.
"""
