"""What to take away from a ranking: a snippet, a fitted probe that predicts, the best pair."""
