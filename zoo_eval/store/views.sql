-- Made anew whenever the tables change.

-- Newest row of each score setting: what reports read.
CREATE OR REPLACE VIEW latest_scores AS
SELECT * EXCLUDE (recency) FROM (
    SELECT *, row_number() OVER (
        PARTITION BY model, weights, seed, dataset, score, options
        ORDER BY version DESC, stored DESC, fingerprint
    ) AS recency
    FROM scores
) WHERE recency = 1;

-- One row per model, accuracy and score value.
CREATE OR REPLACE VIEW leaderboard AS
SELECT a.model, m.family, m.params, a.benchmark, a.metric, a.value AS accuracy,
       coalesce(t.trusted, TRUE) AS trusted,
       s.weights, s.seed, s.dataset, s.score, s.options, s.value, s.low, s.high,
       s.undefined_because
FROM accuracies a
JOIN models m USING (model)
JOIN latest_scores s USING (model)
LEFT JOIN (
    SELECT model, bool_and(trusted) AS trusted FROM trust GROUP BY model
) t USING (model)
ORDER BY accuracy DESC, a.model, s.score;

-- Models whose last attempt did not end well. Clocks are set back; so the order is that of the
-- runs, whose times the store keeps in order, and within a run that of the rows.
CREATE OR REPLACE VIEW failures AS
SELECT * EXCLUDE (recency) FROM (
    SELECT a.*, row_number() OVER (
        PARTITION BY a.model, a.weights, a.seed ORDER BY r.started DESC NULLS LAST, a.rowid DESC
    ) AS recency
    FROM attempts a LEFT JOIN runs r USING (run)
) WHERE recency = 1 AND outcome NOT IN ('ok', 'undefined')
ORDER BY started;
