-- AUTOINCREMENT: a number is never given again, not even when the tenant that had the last one is gone.
-- All times are microseconds since 1970-01-01T00:00:00Z.
CREATE TABLE tenants (
    tenant_number      INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    name               TEXT    NOT NULL,
    status             TEXT    NOT NULL CHECK (status IN ('active', 'suspended', 'deleting')),
    tenant_info        TEXT    NOT NULL,
    version            INTEGER NOT NULL CHECK (version > 0),
    created_at         INTEGER NOT NULL,
    updated_at         INTEGER NOT NULL,
    -- Set while the tenant is being deleted.
    erasure_started_at INTEGER,
    erased_rows        INTEGER NOT NULL DEFAULT 0 CHECK (erased_rows >= 0)
) STRICT;

CREATE INDEX tenants_deleting ON tenants (tenant_number) WHERE status = 'deleting';

-- What was given out last in each tenant. Apart from tenants, so that a batch of writes changes a short
-- row and not the whole tenant.
CREATE TABLE tenant_counters (
    tenant_number      INTEGER NOT NULL PRIMARY KEY REFERENCES tenants (tenant_number),
    event_sequence     INTEGER NOT NULL DEFAULT 0 CHECK (event_sequence >= 0),
    -- created_at of the event of that sequence.
    last_event_at      INTEGER,
    key_value_revision INTEGER NOT NULL DEFAULT 0 CHECK (key_value_revision >= 0)
) STRICT;
