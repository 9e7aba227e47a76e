"""HTTP/1.1 towards providers, as little of it as a call needs: one POST, one answer, connections that are kept.

The request is written as one piece and the answer read as it comes, without a library's session in between, which
costs more than all the rest of a call (`docs/decisions/0017-upstream-transport.md`).
"""
