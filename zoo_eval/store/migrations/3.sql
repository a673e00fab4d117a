-- Networks may run in bfloat16, and batch sizes are measured.
ALTER TABLE scores ADD COLUMN precision TEXT DEFAULT 'fp32';
CREATE TABLE calibrations (
    machine TEXT NOT NULL,
    quantity TEXT NOT NULL,
    value DOUBLE NOT NULL,
    stored TIMESTAMP NOT NULL,
    PRIMARY KEY (machine, quantity)
);
