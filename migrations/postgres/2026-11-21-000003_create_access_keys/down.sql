DROP FUNCTION record_key_use(text[], timestamptz[]);
DROP FUNCTION find_grants(text[]);
DROP TABLE tenant_keys;
DROP TABLE admin_keys;
