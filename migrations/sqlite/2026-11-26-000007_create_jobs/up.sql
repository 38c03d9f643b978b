-- Work that somebody is to do: the job queue, where no broker is. What must be done stands elsewhere; a job only makes it
-- begin soon.
CREATE TABLE jobs (
    tenant_number      INTEGER NOT NULL REFERENCES tenants (tenant_number) ON DELETE CASCADE,
    feed_id            BLOB    NOT NULL,
    run_id             BLOB    NOT NULL,
    -- When it may be delivered. Of a job that was delivered: when its worker counts as dead.
    available_at       INTEGER NOT NULL,
    deliveries         INTEGER NOT NULL DEFAULT 0,
    is_leased          INTEGER NOT NULL DEFAULT 0 CHECK (is_leased IN (0, 1)),
    -- It was published while a worker had it, and so is to be delivered once more.
    is_published_again INTEGER NOT NULL DEFAULT 0 CHECK (is_published_again IN (0, 1)),
    set_aside_at       INTEGER,
    set_aside_reason   TEXT,
    PRIMARY KEY (tenant_number, feed_id, run_id)
) STRICT, WITHOUT ROWID;

-- For the workers, which take what is due of any tenant.
CREATE INDEX jobs_by_availability ON jobs (available_at) WHERE set_aside_at IS NULL;
