"""Loading a file of customers: stage, standardise, upsert.

`batches` opens a batch and its job, `staging` reads the whole file before anything is written,
`rows` makes one line regular, `writing` stores a chunk of them, `deletion` ends what a full file
no longer holds, `work` is the job that goes through all of it. The same file twice changes
nothing, a row older than what is stored never overwrites, and any chunk size gives the same
state.
"""
