REVOKE SELECT ON __diesel_schema_migrations FROM tenantry_application;
DROP TABLE settings;
DROP FUNCTION current_tenant();
