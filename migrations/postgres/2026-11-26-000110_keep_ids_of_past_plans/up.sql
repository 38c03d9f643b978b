ALTER TABLE plans ADD COLUMN derived_id uuid;
ALTER TABLE staged_plans ADD COLUMN derived_id uuid;

CREATE UNIQUE INDEX plans_by_derived_id ON plans (tenant_number, derived_id) WHERE derived_id IS NOT NULL;
CREATE UNIQUE INDEX staged_plans_by_derived_id ON staged_plans (tenant_number, staging, derived_id)
    WHERE derived_id IS NOT NULL;

COMMENT ON COLUMN plans.derived_id IS
    'The id that follows from the feed and the provider''s ids, by which a fetch looks for the plan: only where it is '
    'another than the plan''s, which is one of the past and keeps the id that it had in another system.';
