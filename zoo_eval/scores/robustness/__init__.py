"""Scores of what a pretrained network still does when it or its images are changed."""
