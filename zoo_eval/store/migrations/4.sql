-- Networks that run out of memory are tried again in smaller steps, failures are not tried again
-- unasked, and the arrays of a forward pass can be kept.
ALTER TABLE attempts ADD COLUMN relief TEXT;
ALTER TABLE attempts ADD COLUMN missing TEXT;
CREATE TABLE embeddings (
    model TEXT NOT NULL,
    weights TEXT NOT NULL,
    seed INTEGER NOT NULL,
    dataset TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    file TEXT NOT NULL,
    n_images INTEGER NOT NULL,
    width INTEGER NOT NULL,
    n_outputs INTEGER NOT NULL,
    dtype TEXT NOT NULL,
    precision TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    run TEXT NOT NULL,
    stored TIMESTAMP NOT NULL,
    PRIMARY KEY (model, weights, seed, dataset, fingerprint)
);
