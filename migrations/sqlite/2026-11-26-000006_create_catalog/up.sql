-- A tenant's catalog as a whole: its revision, and which number was last given to a staging.
CREATE TABLE catalogs (
    tenant_number INTEGER NOT NULL PRIMARY KEY REFERENCES tenants (tenant_number),
    revision      INTEGER NOT NULL DEFAULT 0 CHECK (revision >= 0),
    last_staging  INTEGER NOT NULL DEFAULT 0 CHECK (last_staging >= 0)
) STRICT;

-- Where a tenant's catalog comes from.
CREATE TABLE feeds (
    tenant_number    INTEGER NOT NULL REFERENCES tenants (tenant_number),
    feed_id          BLOB    NOT NULL CHECK (length(feed_id) = 16),
    name             TEXT    NOT NULL,
    url              TEXT    NOT NULL,
    interval_seconds INTEGER NOT NULL CHECK (interval_seconds > 0),
    time_zone        TEXT    NOT NULL,
    enabled          INTEGER NOT NULL CHECK (enabled IN (0, 1)),
    version          INTEGER NOT NULL CHECK (version > 0),
    created_at       INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL,
    -- Set while it is enabled.
    next_run_at      INTEGER,
    last_success_at  INTEGER,
    -- What the provider said of the answer that was last taken whole.
    etag             TEXT,
    last_modified    TEXT,
    -- How often a run became the catalog: whether what a run has compared with still stands.
    imports          INTEGER NOT NULL DEFAULT 0 CHECK (imports >= 0),
    PRIMARY KEY (tenant_number, feed_id)
) STRICT, WITHOUT ROWID;

-- For the timer, which asks of all tenants. The condition holds for every time (see key_values_by_end).
CREATE INDEX feeds_due ON feeds (next_run_at) WHERE next_run_at >= -62167219200000000;

CREATE TABLE feed_runs (
    tenant_number    INTEGER NOT NULL REFERENCES tenants (tenant_number),
    feed_id          BLOB    NOT NULL CHECK (length(feed_id) = 16),
    run_id           BLOB    NOT NULL CHECK (length(run_id) = 16),
    cause            TEXT    NOT NULL CHECK (cause IN ('schedule', 'request', 'file', 'replay')),
    state            TEXT    NOT NULL CHECK (state IN
        ('queued', 'running', 'succeeded', 'unchanged', 'failed', 'held', 'superseded')),
    queued_at        INTEGER NOT NULL,
    started_at       INTEGER,
    finished_at      INTEGER,
    bytes            INTEGER NOT NULL DEFAULT 0 CHECK (bytes >= 0),
    attempts         INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    plans_seen       INTEGER NOT NULL DEFAULT 0 CHECK (plans_seen >= 0),
    plans_new        INTEGER NOT NULL DEFAULT 0 CHECK (plans_new >= 0),
    plans_changed    INTEGER NOT NULL DEFAULT 0 CHECK (plans_changed >= 0),
    plans_unchanged  INTEGER NOT NULL DEFAULT 0 CHECK (plans_unchanged >= 0),
    plans_left_sale  INTEGER NOT NULL DEFAULT 0 CHECK (plans_left_sale >= 0),
    rejected         INTEGER NOT NULL DEFAULT 0 CHECK (rejected >= 0),
    detail           TEXT,
    catalog_revision INTEGER,
    -- 0 before the first claim; what comes with another number is refused.
    claim_number     INTEGER NOT NULL DEFAULT 0 CHECK (claim_number >= 0),
    claimed_until    INTEGER,
    -- Under which number its rows are staged, while it has any.
    staging          INTEGER,
    -- What its feed's version and imports were when it began to stage.
    feed_version     INTEGER,
    feed_imports     INTEGER,
    -- While it is held: what the provider said of its answer.
    etag             TEXT,
    last_modified    TEXT,
    CHECK ((state = 'running') = (claimed_until IS NOT NULL)),
    CHECK ((state IN ('running', 'held')) = (staging IS NOT NULL)),
    PRIMARY KEY (tenant_number, feed_id, run_id)
) STRICT, WITHOUT ROWID;

-- A feed has at most one run that has not ended, and at most one that is held.
CREATE UNIQUE INDEX feed_runs_open ON feed_runs (tenant_number, feed_id) WHERE state IN ('queued', 'running');
CREATE UNIQUE INDEX feed_runs_held ON feed_runs (tenant_number, feed_id) WHERE state = 'held';
-- For whoever looks after runs that nobody works on, in any tenant.
CREATE INDEX feed_runs_waiting ON feed_runs (queued_at) WHERE state IN ('queued', 'running');

-- Everything that a provider told of a plan, once for each time that it differed, under the number of the staging that
-- brought it. No row is ever changed. The zones, which are long, stand last.
CREATE TABLE plan_contents (
    tenant_number        INTEGER NOT NULL REFERENCES tenants (tenant_number),
    staging              INTEGER NOT NULL,
    id                   BLOB    NOT NULL CHECK (length(id) = 16),
    title                TEXT    NOT NULL,
    sell_mode            TEXT    NOT NULL CHECK (sell_mode IN ('online', 'offline')),
    organizer_company_id TEXT,
    starts_at            INTEGER NOT NULL,
    ends_at              INTEGER NOT NULL,
    sell_from            INTEGER,
    sell_to              INTEGER,
    sold_out             INTEGER NOT NULL CHECK (sold_out IN (0, 1)),
    min_cents            INTEGER,
    max_cents            INTEGER,
    zones                TEXT    NOT NULL,
    CHECK (ends_at >= starts_at),
    PRIMARY KEY (tenant_number, staging, id)
) STRICT;

-- Which content a plan had from when on. A content that no version names is nobody's yet, or nobody's any more.
CREATE TABLE plan_versions (
    tenant_number INTEGER NOT NULL REFERENCES tenants (tenant_number),
    id            BLOB    NOT NULL CHECK (length(id) = 16),
    version       INTEGER NOT NULL CHECK (version > 0),
    seen_at       INTEGER NOT NULL,
    digest        BLOB    NOT NULL CHECK (length(digest) = 32),
    -- The staging under which its content stands.
    staging       INTEGER NOT NULL,
    PRIMARY KEY (tenant_number, id, version)
) STRICT, WITHOUT ROWID;

-- Each plan with its newest version, and of that what the search needs: short rows, however many zones there are.
CREATE TABLE plans (
    tenant_number INTEGER NOT NULL REFERENCES tenants (tenant_number),
    id            BLOB    NOT NULL CHECK (length(id) = 16),
    feed_id       BLOB    NOT NULL CHECK (length(feed_id) = 16),
    base_plan_id  TEXT    NOT NULL,
    plan_id       TEXT    NOT NULL,
    version       INTEGER NOT NULL CHECK (version > 0),
    digest        BLOB    NOT NULL CHECK (length(digest) = 32),
    title         TEXT    NOT NULL,
    starts_at     INTEGER NOT NULL,
    ends_at       INTEGER NOT NULL,
    min_cents     INTEGER,
    max_cents     INTEGER,
    is_online     INTEGER NOT NULL CHECK (is_online IN (0, 1)),
    ever_online   INTEGER NOT NULL CHECK (ever_online IN (0, 1)),
    -- Whether the last whole fetch of its feed held it.
    in_feed       INTEGER NOT NULL CHECK (in_feed IN (0, 1)),
    first_seen_at INTEGER NOT NULL,
    -- When a fetch last held it; while it is in its feed, the feed's last success counts where that is later. So a
    -- fetch that changed nothing changes no plan.
    seen_at       INTEGER NOT NULL,
    PRIMARY KEY (tenant_number, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX plans_in_feed ON plans (tenant_number, feed_id) WHERE in_feed = 1;

-- The plans that a run has read, before they become the catalog. Those of which nothing differs have only the
-- columns up to was_in_feed.
CREATE TABLE staged_plans (
    tenant_number   INTEGER NOT NULL REFERENCES tenants (tenant_number),
    staging         INTEGER NOT NULL,
    id              BLOB    NOT NULL CHECK (length(id) = 16),
    digest          BLOB    NOT NULL CHECK (length(digest) = 32),
    -- Compared with the catalog as it was when the run's feed had so many imports (feed_runs.feed_imports).
    difference      TEXT    NOT NULL CHECK (difference IN ('new', 'changed', 'none')),
    was_in_feed     INTEGER NOT NULL CHECK (was_in_feed IN (0, 1)),
    base_plan_id    TEXT,
    plan_id         TEXT,
    title           TEXT,
    starts_at       INTEGER,
    ends_at         INTEGER,
    min_cents       INTEGER,
    max_cents       INTEGER,
    is_online       INTEGER,
    content_staging INTEGER,
    CHECK (difference = 'none' OR content_staging IS NOT NULL),
    PRIMARY KEY (tenant_number, staging, id)
) STRICT, WITHOUT ROWID;

-- The records of a run that could not be taken. Their texts, which may be long, stand apart and are never moved.
CREATE TABLE staged_rejects (
    tenant_number INTEGER NOT NULL REFERENCES tenants (tenant_number),
    staging       INTEGER NOT NULL,
    reject_id     BLOB    NOT NULL CHECK (length(reject_id) = 16),
    place_offset  INTEGER NOT NULL,
    base_plan_id  TEXT,
    plan_id       TEXT,
    code          TEXT    NOT NULL,
    detail        TEXT    NOT NULL,
    PRIMARY KEY (tenant_number, staging, reject_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE feed_rejects (
    tenant_number INTEGER NOT NULL REFERENCES tenants (tenant_number),
    feed_id       BLOB    NOT NULL CHECK (length(feed_id) = 16),
    reject_id     BLOB    NOT NULL CHECK (length(reject_id) = 16),
    run_id        BLOB    NOT NULL CHECK (length(run_id) = 16),
    first_seen_at INTEGER NOT NULL,
    last_seen_at  INTEGER NOT NULL,
    place_offset  INTEGER NOT NULL,
    base_plan_id  TEXT,
    plan_id       TEXT,
    code          TEXT    NOT NULL,
    detail        TEXT    NOT NULL,
    -- The staging under which its text stands.
    staging       INTEGER NOT NULL,
    PRIMARY KEY (tenant_number, feed_id, reject_id)
) STRICT, WITHOUT ROWID;

-- For the question whether a text is anybody's.
CREATE INDEX feed_rejects_by_staging ON feed_rejects (tenant_number, staging, reject_id);

CREATE TABLE reject_texts (
    tenant_number INTEGER NOT NULL REFERENCES tenants (tenant_number),
    staging       INTEGER NOT NULL,
    reject_id     BLOB    NOT NULL CHECK (length(reject_id) = 16),
    raw           TEXT    NOT NULL,
    PRIMARY KEY (tenant_number, staging, reject_id)
) STRICT;

-- Stagings that have ended: what they have left, and nobody names, is removed a bounded number of rows at a time.
CREATE TABLE discards (
    tenant_number INTEGER NOT NULL REFERENCES tenants (tenant_number),
    staging       INTEGER NOT NULL,
    PRIMARY KEY (tenant_number, staging)
) STRICT, WITHOUT ROWID;
