"""Scores of how well embeddings or predictions fit the labels of the dataset."""
