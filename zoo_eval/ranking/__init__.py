"""Which network for my images: a look at them, a race of networks, and what to take away."""
