"""What is done to a pretrained network or to its images before it is evaluated again."""
