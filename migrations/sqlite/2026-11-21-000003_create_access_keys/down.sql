DROP TABLE tenant_keys;
DROP TABLE admin_keys;
