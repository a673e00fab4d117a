"""Scores from information theory: entropies and mutual information of embeddings."""
