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

-- For the sweep, which looks for what has ended in any tenant. The condition, the first moment there is,
-- holds for every end. Written as IS NOT NULL it would make SQLite prepare each statement on this table anew
-- whenever a parameter changes, because it asks of each whether its value implies the condition.
CREATE INDEX key_values_by_end ON key_values (expires_at) WHERE expires_at >= -62167219200000000;
