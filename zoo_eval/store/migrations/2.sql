-- Scores that are means over random draws (few-shot accuracy) have an interval.
ALTER TABLE scores ADD COLUMN low DOUBLE;
ALTER TABLE scores ADD COLUMN high DOUBLE;
