"""Documents that questions are answered from: versions, passages, rows and, where pgvector is at hand, vectors."""

from alembic import op

revision = "0006"
down_revision: str | None = "0005"

_UP = (
    """
    CREATE TABLE knowledge_documents (
        document_id text PRIMARY KEY,
        base text NOT NULL,
        name text NOT NULL,
        groups text[] NOT NULL DEFAULT '{}',
        regions text[] NOT NULL DEFAULT '{}',
        url text,
        version_id text,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        UNIQUE (base, name)
    )
    """,
    """
    CREATE TABLE knowledge_versions (
        version_id text PRIMARY KEY,
        document_id text NOT NULL REFERENCES knowledge_documents ON DELETE CASCADE,
        digest text NOT NULL,
        title text NOT NULL,
        kind text NOT NULL CHECK (kind IN ('text', 'table')),
        media_type text NOT NULL,
        content text NOT NULL,
        embedder text,
        created_at timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE INDEX knowledge_versions_by_digest ON knowledge_versions (digest)",
    "CREATE INDEX knowledge_versions_of_document ON knowledge_versions (document_id)",
    """
    CREATE TABLE knowledge_passages (
        version_id text NOT NULL REFERENCES knowledge_versions ON DELETE CASCADE,
        ordinal integer NOT NULL,
        heading text NOT NULL,
        hints text NOT NULL DEFAULT '',
        start_at integer NOT NULL,
        end_at integer NOT NULL,
        words tsvector NOT NULL,
        PRIMARY KEY (version_id, ordinal)
    )
    """,
    """
    CREATE TABLE knowledge_rows (
        version_id text NOT NULL REFERENCES knowledge_versions ON DELETE CASCADE,
        ordinal integer NOT NULL,
        cells json NOT NULL,
        start_at integer NOT NULL,
        end_at integer NOT NULL,
        PRIMARY KEY (version_id, ordinal)
    )
    """,
    # Without pgvector, or without the right to bring it in, retrieval is by words alone.
    """
    DO $$
    BEGIN
        IF EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector') THEN
            BEGIN
                CREATE EXTENSION IF NOT EXISTS vector;
            EXCEPTION WHEN insufficient_privilege THEN
                RAISE NOTICE 'no right to create the extension vector';
            END;
        END IF;
        IF EXISTS (SELECT FROM pg_extension WHERE extname = 'vector') THEN
            CREATE TABLE knowledge_vectors (
                version_id text NOT NULL,
                ordinal integer NOT NULL,
                part integer NOT NULL,
                embedding vector(384) NOT NULL,
                PRIMARY KEY (version_id, ordinal, part),
                FOREIGN KEY (version_id, ordinal) REFERENCES knowledge_passages ON DELETE CASCADE
            );
        END IF;
    END
    $$
    """,
)
_DOWN = (
    "DROP TABLE IF EXISTS knowledge_vectors",
    "DROP TABLE knowledge_rows",
    "DROP TABLE knowledge_passages",
    "DROP TABLE knowledge_versions",
    "DROP TABLE knowledge_documents",
)


def upgrade() -> None:
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in _DOWN:
        op.execute(statement)
