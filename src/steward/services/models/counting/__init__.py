"""Token counting without the network: a bound that a request cannot pass, and an estimate or an exact count of it.

`bounds` is for reservations and cheap; `counter` is for people and uses tiktoken's vocabulary where it is there, else
`estimates`. What a provider reports after the call always wins.
"""
