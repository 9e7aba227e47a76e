CREATE SCHEMA app;
CREATE TABLE app.spend (
    request_id text NOT NULL,
    model text NOT NULL,
    key_hash text NOT NULL,
    prompt_tokens int NOT NULL,
    completion_tokens int NOT NULL,
    spend double precision NOT NULL,
    began_at timestamp NOT NULL,
    ended_at timestamp NOT NULL);
GRANT USAGE ON SCHEMA app TO steward_app;
GRANT SELECT, INSERT ON app.spend TO steward_app;
