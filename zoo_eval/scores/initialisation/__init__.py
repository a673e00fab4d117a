"""What the start of training changes: in the network, and in small heads on its embeddings."""
