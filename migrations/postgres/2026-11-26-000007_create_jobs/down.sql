DROP FUNCTION take_job(bigint);
DROP FUNCTION has_due_job();
DROP TABLE jobs;
