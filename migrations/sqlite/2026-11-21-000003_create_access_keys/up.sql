-- Of a key's text only the SHA-256 is kept. Scopes are one line of words.
CREATE TABLE admin_keys (
    key_id       TEXT    NOT NULL PRIMARY KEY,
    hash         BLOB    NOT NULL CHECK (length(hash) = 32),
    name         TEXT    NOT NULL,
    scopes       TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER,
    last_used_at INTEGER
) STRICT, WITHOUT ROWID;

-- In the order in which a tenant's keys are listed.
CREATE TABLE tenant_keys (
    tenant_number INTEGER NOT NULL REFERENCES tenants (tenant_number),
    key_id        TEXT    NOT NULL,
    hash          BLOB    NOT NULL CHECK (length(hash) = 32),
    name          TEXT    NOT NULL,
    scopes        TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER,
    last_used_at  INTEGER,
    PRIMARY KEY (tenant_number, created_at, key_id)
) STRICT, WITHOUT ROWID;

-- How a key is found when only its id is known: the one look-up that no tenant comes first in.
CREATE UNIQUE INDEX tenant_keys_by_id ON tenant_keys (key_id);
