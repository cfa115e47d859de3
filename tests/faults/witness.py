"""A witness in the database, who notes every answer that is written to a request, also one too many."""

from self_service_agent.kit.database import Address

_INSTALL = """
    CREATE TABLE witnessed_answers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, request_id text NOT NULL);
    CREATE INDEX ON witnessed_answers (request_id);
    CREATE FUNCTION witness_answer() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO witnessed_answers (request_id) VALUES (NEW.request_id);
        RETURN NULL;
    END $$;
    CREATE TRIGGER witness_answer AFTER UPDATE OF response_content ON request_logs
        FOR EACH ROW EXECUTE FUNCTION witness_answer();
"""


async def call_witness(database: Address) -> None:
    """Have a witness from now on, before anybody asks."""
    connection = await database.connect()
    try:
        await connection.execute(_INSTALL)
    finally:
        await connection.close()
