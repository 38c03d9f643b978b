DROP FUNCTION event_candidates(jsonb, bigint, bigint, boolean, integer);
DROP FUNCTION first_event_at_or_after(bigint, timestamptz, bigint, bigint);
DROP FUNCTION find_events(bigint[], uuid[]);
DROP FUNCTION store_events;
DROP FUNCTION held_events(bigint[], integer[], uuid[]);
DROP TABLE events;
