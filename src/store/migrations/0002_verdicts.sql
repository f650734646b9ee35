-- What analysts said of findings (docs/verdicts.md). NULL where nobody said anything.
ALTER TABLE findings ADD COLUMN verdict VARCHAR;
ALTER TABLE findings ADD COLUMN verdict_id VARCHAR;
ALTER TABLE findings ADD COLUMN suppressed_by VARCHAR;
ALTER TABLE findings ADD COLUMN suppressed_reason VARCHAR;
ALTER TABLE findings ADD COLUMN suppressed_author VARCHAR;
ALTER TABLE findings ADD COLUMN suppressed_until TIMESTAMP;
