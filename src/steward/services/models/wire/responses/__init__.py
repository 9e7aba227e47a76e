"""OpenAI Responses, as a server speaks it, in the form that Open Responses fixed (schema of 2026-04-24).

`server` is the codec; `request`, `items`, `content` and `options` read, `output` and `response` write, `stream` and
`live` write event by event. Nothing is kept: a response cannot be fetched later, and what refers to one that is kept is
refused with the remedy. Where OpenAI's client and Open Responses differ in a stream (names of the events of reasoning
text) OpenAI's client is followed; where both can be served (the `error` event) both are.
"""
