-- The tables of a result file, schema version 4. Tall tables: a new score needs no migration.
-- A change of these tables raises SCHEMA_VERSION and adds a file to migrations/.

CREATE TABLE meta (schema_version INTEGER NOT NULL);
INSERT INTO meta VALUES (4);

CREATE TABLE models (
    model TEXT PRIMARY KEY,          -- architecture.tag
    family TEXT NOT NULL,
    params BIGINT,
    macs BIGINT,                     -- published multiply-accumulates for one image
    activations BIGINT,              -- published output elements of conv and linear layers
    image_size INTEGER,
    pretraining TEXT,
    distilled BOOLEAN,
    licence TEXT,
    label_space TEXT NOT NULL,
    details JSON NOT NULL            -- every column of the manifest line
);

CREATE TABLE accuracies (
    model TEXT NOT NULL,
    benchmark TEXT NOT NULL,         -- imagenet, real, v2, sketch, a, r, fashion …
    metric TEXT NOT NULL,            -- top1, top5
    value DOUBLE NOT NULL CHECK (value BETWEEN 0 AND 1),
    source TEXT NOT NULL,
    PRIMARY KEY (model, benchmark, metric)
);

CREATE TABLE datasets (
    dataset TEXT PRIMARY KEY,        -- name@digest, as the other tables write it
    name TEXT NOT NULL,
    digest TEXT NOT NULL,            -- SHA-256 over the chosen images, labels and views
    n_images INTEGER NOT NULL,
    n_classes INTEGER NOT NULL,
    recipe JSON NOT NULL             -- how the subset was chosen, and what was skipped
);

CREATE TABLE runs (
    run TEXT PRIMARY KEY,
    job TEXT NOT NULL,
    job_text TEXT NOT NULL,
    command TEXT NOT NULL,
    started TIMESTAMP NOT NULL,      -- UTC
    ended TIMESTAMP,                 -- NULL while it runs, or if it was killed
    state TEXT NOT NULL,             -- running, done, interrupted
    git_commit TEXT,
    versions JSON NOT NULL,
    host TEXT NOT NULL
);

CREATE TABLE attempts (
    run TEXT NOT NULL,
    model TEXT NOT NULL,
    weights TEXT NOT NULL,
    seed INTEGER NOT NULL,
    started TIMESTAMP NOT NULL,
    seconds DOUBLE NOT NULL,
    device TEXT,
    peak_rss_bytes BIGINT,           -- of the worker process, so far
    outcome TEXT NOT NULL,           -- ok, undefined, or what went wrong: see zoo_eval/errors.py
    error_type TEXT,
    message TEXT,
    traceback TEXT,
    relief TEXT,                     -- how it was made to need less memory; NULL: not at all
    -- digest of the keys of the scores that it failed to give; NULL: none, or the failure may
    -- heal by itself
    missing TEXT
);

CREATE TABLE scores (
    model TEXT NOT NULL,
    weights TEXT NOT NULL,           -- pretrained, init, init-neutral; any: values do not matter
    seed INTEGER NOT NULL,           -- of the initialisation; 0 where there is none
    dataset TEXT NOT NULL,           -- none: the score needs no images
    score TEXT NOT NULL,
    options JSON NOT NULL,           -- all of them, defaults too, keys sorted
    version INTEGER NOT NULL,        -- of the score's definition
    fingerprint TEXT NOT NULL,       -- digest of everything else that changes the number
    value DOUBLE CHECK (isfinite(value)),
    undefined_because TEXT,
    seconds DOUBLE NOT NULL,         -- what the score would have cost alone, its quantities included
    run TEXT NOT NULL,
    stored TIMESTAMP NOT NULL,
    low DOUBLE,                      -- 95 % interval around the value, of scores that have one
    high DOUBLE,
    -- in which the network computed: fp32 or bf16
    precision TEXT DEFAULT 'fp32',
    CHECK ((value IS NULL) <> (undefined_because IS NULL)),
    PRIMARY KEY (model, weights, seed, dataset, score, options, version, fingerprint)
);

-- Arrays of a forward pass that were kept: embeddings and logits, in one safetensors file.
CREATE TABLE embeddings (
    model TEXT NOT NULL,
    weights TEXT NOT NULL,
    seed INTEGER NOT NULL,
    dataset TEXT NOT NULL,
    fingerprint TEXT NOT NULL,       -- digest of weights file, preprocessing, precision …
    file TEXT NOT NULL,              -- name in the folder of the store's arrays
    n_images INTEGER NOT NULL,
    width INTEGER NOT NULL,          -- of an embedding
    n_outputs INTEGER NOT NULL,      -- logits of an image
    dtype TEXT NOT NULL,
    precision TEXT NOT NULL,         -- in which the network computed
    bytes BIGINT NOT NULL,           -- of the file
    sha256 TEXT NOT NULL,            -- of the file
    run TEXT NOT NULL,
    stored TIMESTAMP NOT NULL,
    PRIMARY KEY (model, weights, seed, dataset, fingerprint)
);

-- Trust gate: accuracy measured on the dataset against the published one.
CREATE TABLE trust (
    model TEXT NOT NULL,
    dataset TEXT NOT NULL,
    measured DOUBLE NOT NULL,
    published DOUBLE NOT NULL,
    n_images INTEGER NOT NULL,
    low DOUBLE NOT NULL,             -- interval around the measured accuracy
    high DOUBLE NOT NULL,
    trusted BOOLEAN NOT NULL,
    stored TIMESTAMP NOT NULL,
    PRIMARY KEY (model, dataset)
);

-- What was measured on a machine that runs used, see zoo_eval/calibration.py.
CREATE TABLE calibrations (
    machine TEXT NOT NULL,           -- processor, threads of a worker, version of torch
    quantity TEXT NOT NULL,          -- working_set (bytes), bf16_speedup (ratio)
    value DOUBLE NOT NULL,
    stored TIMESTAMP NOT NULL,
    PRIMARY KEY (machine, quantity)
);
