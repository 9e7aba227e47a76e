"""The peer of `bench/chat.py`: the desk's FAQ answers with FastAPI, SQLAlchemy, scikit-learn and PostgreSQL's search.

Written as a team that knows these tools well would write it, on the edge of `edge_fastapi` (middleware, keys, limits):
jieba and OpenCC for the texts, TF-IDF with a linear SVM for the intent, full text search over segmented terms, answers
kept in the process for an hour, and one transaction for all that a message leaves.
"""
