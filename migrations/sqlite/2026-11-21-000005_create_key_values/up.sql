-- The value stands last: what lists keys never reads the pages of long values. Keys compare by their
-- bytes (BINARY).
CREATE TABLE key_values (
    tenant_number INTEGER NOT NULL REFERENCES tenants (tenant_number),
    key           TEXT    NOT NULL,
    content_type  TEXT    NOT NULL,
    version       INTEGER NOT NULL,
    revision      INTEGER NOT NULL,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    expires_at    INTEGER,
    value         BLOB    NOT NULL,
    PRIMARY KEY (tenant_number, key)
) STRICT, WITHOUT ROWID;

-- For the sweep, which looks for what has ended in any tenant.
CREATE INDEX key_values_by_end ON key_values (expires_at) WHERE expires_at IS NOT NULL;
