-- What a change of a row changes in the tallies goes into tally_deltas, in the same
-- transaction, once for each statement. Rows are only added there: workers never wait for
-- each other over a counter. The sweep sums them up (store/tallies.py).

CREATE FUNCTION wif_outcome(status text, unrouted boolean) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN unrouted AND status = 'routed' THEN 'unrouted' ELSE status END
$$;

CREATE FUNCTION wif_waiting(state text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN state = 'sending' THEN 'pending' ELSE state END
$$;

CREATE FUNCTION wif_tally_dossiers_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO tally_deltas (metric, procedure, permit_type, department, outcome, amount)
  SELECT 'dossiers', procedure, coalesce(permit_type, ''), coalesce(department, ''),
         wif_outcome(status, unrouted), count(*)
  FROM added GROUP BY 2, 3, 4, 5;
  -- What is being caught up on says nothing of how soon a new dossier is seen.
  INSERT INTO tally_deltas (metric, amount)
  SELECT 'filed-to-seen', extract(epoch FROM seen_at - filed_at)
  FROM added WHERE lane = 0 AND filed_at IS NOT NULL;
  RETURN NULL;
END $$;

CREATE FUNCTION wif_tally_dossiers_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  WITH moved AS (
    SELECT n.procedure, n.permit_type, n.department, wif_outcome(n.status, n.unrouted) AS outcome,
           o.permit_type AS old_type, o.department AS old_department,
           wif_outcome(o.status, o.unrouted) AS old_outcome
    FROM added n JOIN removed o USING (procedure, number)
    WHERE n.status <> o.status OR n.unrouted <> o.unrouted
       OR n.permit_type IS DISTINCT FROM o.permit_type
       OR n.department IS DISTINCT FROM o.department
  )
  INSERT INTO tally_deltas (metric, procedure, permit_type, department, outcome, amount)
  SELECT 'dossiers', procedure, coalesce(permit_type, ''), coalesce(department, ''), outcome,
         sum(amount)
  FROM (
    SELECT procedure, permit_type, department, outcome, 1 AS amount FROM moved
    UNION ALL
    SELECT procedure, old_type, old_department, old_outcome, -1 FROM moved
  ) AS both_sides
  GROUP BY 2, 3, 4, 5 HAVING sum(amount) <> 0;
  INSERT INTO tally_deltas (metric, amount)
  SELECT 'filed-to-seen', extract(epoch FROM n.seen_at - n.filed_at)
  FROM added n JOIN removed o USING (procedure, number)
  WHERE n.lane = 0 AND n.filed_at IS NOT NULL AND o.filed_at IS NULL;
  RETURN NULL;
END $$;

CREATE FUNCTION wif_tally_dossiers_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO tally_deltas (metric, procedure, permit_type, department, outcome, amount)
  SELECT 'dossiers', procedure, coalesce(permit_type, ''), coalesce(department, ''),
         wif_outcome(status, unrouted), -count(*)
  FROM removed GROUP BY 2, 3, 4, 5;
  RETURN NULL;
END $$;

CREATE FUNCTION wif_tally_deliveries_insert() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO tally_deltas (metric, channel, outcome, amount)
  SELECT 'deliveries', channel, wif_waiting(state), count(*) FROM added GROUP BY 2, 3;
  RETURN NULL;
END $$;

CREATE FUNCTION wif_tally_deliveries_update() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO tally_deltas (metric, channel, outcome, amount)
  SELECT 'deliveries', channel, outcome, sum(amount)
  FROM (
    SELECT n.channel, wif_waiting(n.state) AS outcome, 1 AS amount
    FROM added n JOIN removed o USING (id) WHERE wif_waiting(n.state) <> wif_waiting(o.state)
    UNION ALL
    SELECT o.channel, wif_waiting(o.state), -1
    FROM added n JOIN removed o USING (id) WHERE wif_waiting(n.state) <> wif_waiting(o.state)
  ) AS both_sides
  GROUP BY 2, 3 HAVING sum(amount) <> 0;
  INSERT INTO tally_deltas (metric, channel, outcome, amount)
  SELECT 'attempts', channel, outcome, count(*)
  FROM (
    SELECT n.channel,
           CASE
             WHEN n.state IN ('sent', 'dead', 'cancelled') AND n.state <> o.state THEN n.state
             WHEN n.state = 'pending' AND o.state = 'dead' THEN 'replayed'
             WHEN n.state = 'pending' AND o.state = 'sending' AND n.attempts = o.attempts
               THEN 'retried'
             WHEN n.state = 'sending' AND o.state = 'sending' AND n.attempts > o.attempts
               THEN 'lost'
           END AS outcome
    FROM added n JOIN removed o USING (id)
  ) AS attempts
  WHERE outcome IS NOT NULL GROUP BY 2, 3;
  INSERT INTO tally_deltas (metric, channel, amount)
  SELECT 'filed-to-sent', n.channel, extract(epoch FROM n.finished_at - d.filed_at)
  FROM added n
  JOIN removed o USING (id)
  JOIN dossiers d ON d.procedure = n.procedure AND d.number = n.number
  WHERE n.state = 'sent' AND o.state <> 'sent' AND n.event = 'filed' AND n.lane = 0
    AND d.filed_at IS NOT NULL AND n.finished_at IS NOT NULL;
  RETURN NULL;
END $$;

CREATE FUNCTION wif_tally_deliveries_delete() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO tally_deltas (metric, channel, outcome, amount)
  SELECT 'deliveries', channel, wif_waiting(state), -count(*) FROM removed GROUP BY 2, 3;
  RETURN NULL;
END $$;

CREATE TRIGGER dossiers_tally_insert AFTER INSERT ON dossiers
REFERENCING NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION wif_tally_dossiers_insert();

CREATE TRIGGER dossiers_tally_update AFTER UPDATE ON dossiers
REFERENCING OLD TABLE AS removed NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION wif_tally_dossiers_update();

CREATE TRIGGER dossiers_tally_delete AFTER DELETE ON dossiers
REFERENCING OLD TABLE AS removed
FOR EACH STATEMENT EXECUTE FUNCTION wif_tally_dossiers_delete();

CREATE TRIGGER deliveries_tally_insert AFTER INSERT ON deliveries
REFERENCING NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION wif_tally_deliveries_insert();

CREATE TRIGGER deliveries_tally_update AFTER UPDATE ON deliveries
REFERENCING OLD TABLE AS removed NEW TABLE AS added
FOR EACH STATEMENT EXECUTE FUNCTION wif_tally_deliveries_update();

CREATE TRIGGER deliveries_tally_delete AFTER DELETE ON deliveries
REFERENCING OLD TABLE AS removed
FOR EACH STATEMENT EXECUTE FUNCTION wif_tally_deliveries_delete();
