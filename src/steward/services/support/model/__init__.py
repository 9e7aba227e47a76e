"""A language model behind the desk: phrases an answer from citations, and routes what the classifier cannot.

Used where the operator has set a provider's key, and never needed. What a model says is a claim until it is checked:
`checks` lets nothing through that the citations do not say.
"""
