"""Scores of what a good or bad start costs small heads that are trained on the embeddings."""
