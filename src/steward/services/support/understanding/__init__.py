"""The room `understanding`: what a customer's message says, told from the message alone.

Intents by a classifier that each tenant may train anew, entities, sentiment, the language, and whether a person is
asked for. Pitfalls: models are trained in processes of their own (`training`), and everything here that runs in the
server must be quick, for it runs on the event loop.
"""
