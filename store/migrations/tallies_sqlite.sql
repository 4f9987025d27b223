-- What a change of a row changes in the tallies goes into tally_deltas, in the same
-- transaction, once for each row. The sweep sums them up (store/tallies.py).

CREATE TRIGGER dossiers_tally_insert AFTER INSERT ON dossiers BEGIN
  INSERT INTO tally_deltas (metric, procedure, permit_type, department, outcome, amount)
  VALUES ('dossiers', NEW.procedure, coalesce(NEW.permit_type, ''), coalesce(NEW.department, ''),
          iif(NEW.unrouted AND NEW.status = 'routed', 'unrouted', NEW.status), 1);
  -- What is being caught up on says nothing of how soon a new dossier is seen.
  INSERT INTO tally_deltas (metric, amount)
  SELECT 'filed-to-seen', round((julianday(NEW.seen_at) - julianday(NEW.filed_at)) * 86400)
  WHERE NEW.lane = 0 AND NEW.filed_at IS NOT NULL;
END;

CREATE TRIGGER dossiers_tally_update
AFTER UPDATE OF status, unrouted, permit_type, department ON dossiers
WHEN NEW.status <> OLD.status OR NEW.unrouted <> OLD.unrouted
  OR NEW.permit_type IS NOT OLD.permit_type OR NEW.department IS NOT OLD.department
BEGIN
  INSERT INTO tally_deltas (metric, procedure, permit_type, department, outcome, amount)
  VALUES ('dossiers', OLD.procedure, coalesce(OLD.permit_type, ''), coalesce(OLD.department, ''),
          iif(OLD.unrouted AND OLD.status = 'routed', 'unrouted', OLD.status), -1),
         ('dossiers', NEW.procedure, coalesce(NEW.permit_type, ''), coalesce(NEW.department, ''),
          iif(NEW.unrouted AND NEW.status = 'routed', 'unrouted', NEW.status), 1);
END;

CREATE TRIGGER dossiers_tally_filed AFTER UPDATE OF filed_at ON dossiers
WHEN OLD.filed_at IS NULL AND NEW.filed_at IS NOT NULL AND NEW.lane = 0
BEGIN
  INSERT INTO tally_deltas (metric, amount)
  VALUES ('filed-to-seen', round((julianday(NEW.seen_at) - julianday(NEW.filed_at)) * 86400));
END;

CREATE TRIGGER dossiers_tally_delete AFTER DELETE ON dossiers BEGIN
  INSERT INTO tally_deltas (metric, procedure, permit_type, department, outcome, amount)
  VALUES ('dossiers', OLD.procedure, coalesce(OLD.permit_type, ''), coalesce(OLD.department, ''),
          iif(OLD.unrouted AND OLD.status = 'routed', 'unrouted', OLD.status), -1);
END;

CREATE TRIGGER deliveries_tally_insert AFTER INSERT ON deliveries BEGIN
  INSERT INTO tally_deltas (metric, channel, outcome, amount)
  VALUES ('deliveries', NEW.channel, iif(NEW.state = 'sending', 'pending', NEW.state), 1);
END;

CREATE TRIGGER deliveries_tally_update AFTER UPDATE OF state ON deliveries
WHEN iif(NEW.state = 'sending', 'pending', NEW.state)
  <> iif(OLD.state = 'sending', 'pending', OLD.state)
BEGIN
  INSERT INTO tally_deltas (metric, channel, outcome, amount)
  VALUES ('deliveries', OLD.channel, iif(OLD.state = 'sending', 'pending', OLD.state), -1),
         ('deliveries', NEW.channel, iif(NEW.state = 'sending', 'pending', NEW.state), 1);
END;

CREATE TRIGGER deliveries_tally_attempt AFTER UPDATE OF state ON deliveries
WHEN (NEW.state IN ('sent', 'dead', 'cancelled') AND NEW.state <> OLD.state)
  OR (NEW.state = 'pending' AND OLD.state = 'dead')
  OR (NEW.state = 'pending' AND OLD.state = 'sending' AND NEW.attempts = OLD.attempts)
  OR (NEW.state = 'sending' AND OLD.state = 'sending' AND NEW.attempts > OLD.attempts)
BEGIN
  INSERT INTO tally_deltas (metric, channel, outcome, amount)
  VALUES ('attempts', NEW.channel,
          CASE WHEN NEW.state = 'sending' THEN 'lost'
               WHEN NEW.state <> 'pending' THEN NEW.state
               WHEN OLD.state = 'dead' THEN 'replayed'
               ELSE 'retried' END, 1);
END;

CREATE TRIGGER deliveries_tally_sent AFTER UPDATE OF state ON deliveries
WHEN NEW.state = 'sent' AND OLD.state <> 'sent' AND NEW.event = 'filed' AND NEW.lane = 0
BEGIN
  INSERT INTO tally_deltas (metric, channel, amount)
  SELECT 'filed-to-sent', NEW.channel,
         round((julianday(NEW.finished_at) - julianday(filed_at)) * 86400)
  FROM dossiers
  WHERE procedure = NEW.procedure AND number = NEW.number
    AND filed_at IS NOT NULL AND NEW.finished_at IS NOT NULL;
END;

CREATE TRIGGER deliveries_tally_delete AFTER DELETE ON deliveries BEGIN
  INSERT INTO tally_deltas (metric, channel, outcome, amount)
  VALUES ('deliveries', OLD.channel, iif(OLD.state = 'sending', 'pending', OLD.state), -1);
END;
