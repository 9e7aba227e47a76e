"""Models: one door to every model, for agents, for the desk and for any OpenAI or Anthropic client.

A call: resolve the alias, look into the caches, join an equal call in flight, reserve its worst case in every budget
(`costs`), pick a candidate, stream, settle. `messages` is the one message model; `wire` turns the dialects into it and
back; `calls` is the pipeline; `upstream` speaks to providers; `registry` keeps connections and aliases; `batches` works
off files of requests.

Invariants: nothing is sent to a provider before its reservation is durable, and no more output tokens are asked for
than are reserved; nothing that a request says is dropped in silence; no answer crosses a tenant or an audience; a
provider's key leaves the envelope for the one request that carries it and is in no log and no error.

Pitfalls: an answer without usage is not free, it is charged by a bound; a stream is closed by whoever opened it, for
closing is what ends the provider's work; a connection that changes gets a new revision, and breakers, limits and cached
answers go by that.

Pitfalls: a `Resolved` is of one moment, so take a new one for each call; `openai`, `anthropic` and the aliases of the
environment exist where keys or base URLs are set, and rows of the same names hide them.
"""
