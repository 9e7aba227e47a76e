"""Lines of a batch by way of providers' own batch endpoints, at their lower price.

A submission is stored before it is sent (`intended → sent → accepted → ended`), with a call of the ledger for each of
its lines; it is sent once. Where nobody knows whether it arrived, it is looked for at the provider, and its lines are
free again only when it surely is not there. A line that the provider did not make goes on line by line.
"""
