ALTER TABLE staged_plans DROP COLUMN derived_id;
ALTER TABLE plans DROP COLUMN derived_id;
