-- Nothing to do here: AUTOINCREMENT goes on behind numbers that are brought along. PostgreSQL needs a grant for it.
SELECT 1;
