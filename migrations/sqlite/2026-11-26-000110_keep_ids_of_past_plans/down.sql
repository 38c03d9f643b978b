DROP INDEX staged_plans_by_derived_id;
DROP INDEX plans_by_derived_id;
ALTER TABLE staged_plans DROP COLUMN derived_id;
ALTER TABLE plans DROP COLUMN derived_id;
