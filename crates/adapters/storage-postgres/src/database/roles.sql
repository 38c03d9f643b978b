-- The two roles that every installation on this server shares: the owner of the tables, and the application, which
-- Row-Level Security holds. Nobody logs in as them; whoever does is made a member. They are made by whichever
-- installation comes first, so they must not be dropped with one of them.
DO $$
DECLARE
    version integer := current_setting('server_version_num');
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['tenantry_owner', 'tenantry_application'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
            BEGIN
                EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOBYPASSRLS', wanted);
            EXCEPTION WHEN duplicate_object OR unique_violation THEN
                NULL; -- Another installation was faster.
            END;
        END IF;
        -- From 16 on, whoever makes a role is a member of it, but may not become it.
        IF NOT pg_has_role(current_user, wanted, CASE WHEN version >= 160000 THEN 'SET' ELSE 'MEMBER' END) THEN
            EXECUTE format('GRANT %I TO %I', wanted, current_user);
        END IF;
    END LOOP;
    -- So that messages come in English, by which the program tells a full disk from a fault. (As text: servers
    -- before 15 don't know the words.)
    IF version >= 150000 AND (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        IF NOT has_parameter_privilege('tenantry_application', 'lc_messages', 'SET') THEN
            BEGIN
                EXECUTE 'GRANT SET ON PARAMETER lc_messages TO tenantry_application';
            EXCEPTION WHEN OTHERS THEN
                NULL; -- Two at once: one of them has done it.
            END;
        END IF;
    END IF;
END
$$;
