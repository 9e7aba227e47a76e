"""Files of requests, and batches that work them off at low priority (OpenAI's Files and Batches).

A file's content is sealed in pieces. A batch is validated as a whole, then its lines are requests of their own:
`pending → running → done`, and a line's result is stored before it counts. Output and error file are views of the
finished lines, so that partial results can be read at any time.

Who works on a batch holds a lease with an epoch. When its process dies, another one takes the batch with the next epoch
and makes every line again that was left `running`: its former call may have been made, and the ledger charges that one
as unknown; the line has one result, the first that was stored. A process that lost its lease is given no more lines.

Lines whose model is one target with a batch endpoint go there first (`shipping`); while providers are at work nobody
holds the batch, and whichever process comes first asks them again. Old files and batches go (`retiring`); a batch whose
maker lost the right to call models is cancelled (`rights`).
"""
