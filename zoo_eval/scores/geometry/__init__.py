"""Scores of the shape of the embeddings, without labels."""
