-- created_at never falls as sequence grows, so a range of time is a range of the primary key and needs no
-- index. Each further index doubles the cost of an insert: a batch's rows dirty a page of it each.
CREATE TABLE events (
    tenant_number INTEGER NOT NULL REFERENCES tenants (tenant_number),
    sequence      INTEGER NOT NULL,
    id            BLOB    NOT NULL,
    component     TEXT    NOT NULL,
    environment   TEXT    NOT NULL,
    message       TEXT    NOT NULL,
    email         TEXT,
    data          TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    PRIMARY KEY (tenant_number, sequence)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX events_by_id ON events (tenant_number, id);
