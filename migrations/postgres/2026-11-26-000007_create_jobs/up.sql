CREATE TABLE jobs (
    tenant_number      bigint      NOT NULL REFERENCES tenants (tenant_number) ON DELETE CASCADE,
    feed_id            uuid        NOT NULL,
    run_id             uuid        NOT NULL,
    available_at       timestamptz NOT NULL,
    deliveries         integer     NOT NULL DEFAULT 0,
    is_leased          boolean     NOT NULL DEFAULT false,
    is_published_again boolean     NOT NULL DEFAULT false,
    set_aside_at       timestamptz,
    set_aside_reason   text,
    PRIMARY KEY (tenant_number, feed_id, run_id)
);

CREATE INDEX jobs_by_availability ON jobs (available_at) WHERE set_aside_at IS NULL;

COMMENT ON TABLE jobs IS
    'Work that somebody is to do: the job queue, where no broker is. What must be done stands elsewhere; a job only '
    'makes it begin soon. Times are this server''s own, so that nodes need not agree about theirs.';
COMMENT ON COLUMN jobs.available_at IS
    'When it may be delivered. Of a job that was delivered: when its worker counts as dead.';
COMMENT ON COLUMN jobs.is_published_again IS
    'It was published while a worker had it, and so is to be delivered once more.';
COMMENT ON INDEX jobs_by_availability IS 'For the workers, which take what is due of any tenant.';

ALTER TABLE jobs ENABLE ROW LEVEL SECURITY;
ALTER TABLE jobs FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON jobs TO tenantry_application
    USING (tenant_number = (SELECT current_tenant()));
CREATE POLICY owner ON jobs TO tenantry_owner USING (true);

COMMENT ON POLICY owner ON jobs IS
    'For the functions that run as tenantry_owner (SECURITY DEFINER): has_due_job and take_job.';

GRANT SELECT, INSERT, UPDATE, DELETE ON jobs TO tenantry_application;

CREATE FUNCTION has_due_job() RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
DECLARE
    moment timestamptz := clock_timestamp();
BEGIN
    RETURN EXISTS (SELECT 1 FROM jobs AS j WHERE j.set_aside_at IS NULL AND j.available_at <= moment);
END
$$;

COMMENT ON FUNCTION has_due_job() IS
    'Whether a job, of any tenant, is due. Runs as tenantry_owner, since a worker knows no tenant before it has a job.';

CREATE FUNCTION take_job(lease_ms bigint)
RETURNS TABLE (tenant_number bigint, feed_id uuid, run_id uuid, deliveries integer)
LANGUAGE plpgsql SECURITY DEFINER
SET search_path FROM CURRENT
AS $$
#variable_conflict use_column
DECLARE
    moment timestamptz := clock_timestamp();
BEGIN
    RETURN QUERY
        UPDATE jobs AS j
        SET available_at = moment + lease_ms * interval '1 millisecond', deliveries = j.deliveries + 1,
            is_leased = true, is_published_again = false
        FROM (
            SELECT d.tenant_number, d.feed_id, d.run_id FROM jobs AS d
            WHERE d.set_aside_at IS NULL AND d.available_at <= moment
            ORDER BY d.available_at LIMIT 1
            FOR UPDATE SKIP LOCKED
        ) AS due
        WHERE j.tenant_number = due.tenant_number AND j.feed_id = due.feed_id AND j.run_id = due.run_id
        RETURNING j.tenant_number, j.feed_id, j.run_id, j.deliveries;
END
$$;

COMMENT ON FUNCTION take_job(bigint) IS
    'Delivers the job, of any tenant, that is due for longest: nobody else gets it for so many milliseconds. Runs as '
    'tenantry_owner, since a worker knows no tenant before it has a job; it shows which job it is and nothing else.';

REVOKE EXECUTE ON FUNCTION has_due_job(), take_job(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION has_due_job(), take_job(bigint) TO tenantry_application;
