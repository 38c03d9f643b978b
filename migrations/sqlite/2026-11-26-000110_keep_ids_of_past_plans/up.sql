-- A plan of the past keeps the id that it had in another system. The id that follows from its feed and its provider's
-- ids, by which a fetch looks for it, stands beside: for plans alone of which it is another.
ALTER TABLE plans ADD COLUMN derived_id BLOB CHECK (length(derived_id) = 16);
ALTER TABLE staged_plans ADD COLUMN derived_id BLOB CHECK (length(derived_id) = 16);

CREATE UNIQUE INDEX plans_by_derived_id ON plans (tenant_number, derived_id) WHERE derived_id IS NOT NULL;
CREATE UNIQUE INDEX staged_plans_by_derived_id ON staged_plans (tenant_number, staging, derived_id)
    WHERE derived_id IS NOT NULL;
