DROP FUNCTION ended_key_values(timestamptz, integer);
DROP FUNCTION store_key_values;
DROP FUNCTION replace_key_values;
DROP FUNCTION find_key_values(bigint[], integer[], text[], boolean);
DROP TABLE key_values;
