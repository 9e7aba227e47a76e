"""What a message names: order numbers, products, e-mail addresses, amounts and dates, found and normalised.

Pitfall: customers write anything, so every expression here must take time that grows with the text only: no repetition
in a repetition, and bounds on what repeats.
"""
