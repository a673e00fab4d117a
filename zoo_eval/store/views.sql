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

-- Models whose last attempt did not end well.
CREATE OR REPLACE VIEW failures AS
SELECT * EXCLUDE (recency) FROM (
    SELECT *, row_number() OVER (
        PARTITION BY model, weights, seed ORDER BY started DESC
    ) AS recency
    FROM attempts
) WHERE recency = 1 AND outcome NOT IN ('ok', 'undefined')
ORDER BY started;
