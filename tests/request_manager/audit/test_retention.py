"""What is kept of the audit log and of keys that no longer work, and for how long."""

from datetime import timedelta

from self_service_agent.request_manager.audit.retention import Keeping, clean

YEAR, QUARTER = timedelta(days=365), timedelta(days=90)

LINES = """
    INSERT INTO audit_log (id, at, actor, actor_kind, action, outcome)
    SELECT 'line ' || days || ' ' || n, now() - days * interval '1 day', 'a', 'person', 'b', 'allowed'
    FROM unnest($1::int[]) AS days, generate_series(1, $2) AS n
"""
KEYS = """
    INSERT INTO api_keys (key_id, digest, hint, name, tool_id, roles, scopes, created_by, created_at, expires_at,
        revoked_at, replaced_by)
    VALUES ('works', 'a', '', '', 't', '{}', '{}', '', now() - interval '1 year', now() + interval '1 day', NULL, NULL),
        ('for ever', 'b', '', '', 't', '{}', '{}', '', now() - interval '1 year', NULL, NULL, NULL),
        ('expired long ago', 'c', '', '', 't', '{}', '{}', '', now(), now() - interval '91 days', NULL, 'works'),
        ('revoked long ago', 'd', '', '', 't', '{}', '{}', '', now(), NULL, now() - interval '91 days', NULL),
        ('revoked', 'e', '', '', 't', '{}', '{}', '', now(), NULL, now() - interval '89 days', 'revoked long ago')
"""


async def test_old_lines_and_dead_keys_go(pool):
    await pool.execute(LINES, [364, 366], 1001)
    await pool.execute(KEYS)

    deleted = await clean(pool, Keeping(lines=YEAR, dead_keys=QUARTER))

    assert deleted == {"audit_log": 1001, "api_keys": 2}
    assert await pool.fetchval("SELECT count(*) FROM audit_log WHERE id LIKE 'line 364%'") == 1001
    keys = await pool.fetch("SELECT key_id FROM api_keys ORDER BY key_id")
    assert [row["key_id"] for row in keys] == ["for ever", "revoked", "works"]


async def test_what_is_kept_for_ever_stays(pool):
    await pool.execute(LINES, [5000], 1)
    await pool.execute(KEYS)

    assert await clean(pool, Keeping(lines=None, dead_keys=None)) == {"audit_log": 0, "api_keys": 0}
