-- The first schema. NULL means that the record did not say. Times are UTC. docs/output.md explains the columns.
-- The members of the ENUM types are the names of the enumerations in event/event.h.
CREATE TYPE event_class AS ENUM ('flow', 'connection', 'session', 'authentication', 'handshake', 'device');
CREATE TYPE event_activity AS ENUM ('start', 'update', 'end', 'traffic', 'logon', 'logoff', 'challenge', 'observed', 'alert');
CREATE TYPE event_outcome AS ENUM ('success', 'failure');
CREATE TYPE event_action AS ENUM ('allowed', 'denied');
CREATE TYPE event_direction AS ENUM ('inbound', 'outbound', 'internal', 'external');
CREATE TYPE event_mfa AS ENUM ('no', 'yes');
CREATE TYPE event_auth_method AS ENUM
  ('password', 'publickey', 'certificate', 'kerberos', 'ntlm', 'saml', 'radius', 'ldap', 'other');
CREATE TYPE event_service AS ENUM ('vpn', 'ssh', 'rdp', 'management', 'web', 'windows', 'kerberos', 'other');

CREATE TABLE meta (key VARCHAR NOT NULL, value VARCHAR NOT NULL);

-- Events are kept as a star: what repeats stands once, a row of `event_rows` is numbers only. The view `events` puts them together.
-- Number 0 is the row of NULLs in each of these tables. An address (or another row) may stand more than once with different numbers.
CREATE TABLE networks (
  id UINTEGER NOT NULL,
  asn UINTEGER,
  org VARCHAR,
  country VARCHAR,
  city VARCHAR,
  network_type VARCHAR,
  latitude DOUBLE,
  longitude DOUBLE
);
CREATE TABLE addresses (id UINTEGER NOT NULL, ip VARCHAR, network UINTEGER NOT NULL);
CREATE TABLE contexts (
  id UINTEGER NOT NULL,
  class event_class,
  activity event_activity,
  outcome event_outcome,
  action event_action,
  service event_service,
  direction event_direction,
  auth_method event_auth_method,
  mfa event_mfa,
  logon_type UTINYINT,
  protocol UTINYINT,
  sampling UINTEGER,
  ingress_index UINTEGER,
  egress_index UINTEGER,
  dataset VARCHAR,
  code VARCHAR,
  reason VARCHAR,
  observer VARCHAR,
  observer_ip VARCHAR,
  application VARCHAR,
  ingress VARCHAR,
  egress VARCHAR,
  rule VARCHAR,
  region VARCHAR,
  file VARCHAR
);
CREATE TABLE actors (
  id UINTEGER NOT NULL,
  user_name VARCHAR,
  user_domain VARCHAR,
  user_group VARCHAR,
  client_host VARCHAR,
  client_os VARCHAR,
  user_agent VARCHAR
);
CREATE TABLE handshakes (
  id UINTEGER NOT NULL,
  fingerprint VARCHAR,
  server_fingerprint VARCHAR,
  certificate_issuer VARCHAR,
  certificate_subject VARCHAR,
  certificate_fingerprint VARCHAR,
  banner VARCHAR
);
-- 0 means unknown in every column but the numbers of lines; the view turns it into NULL.
CREATE TABLE event_rows (
  time TIMESTAMP,
  context UINTEGER,
  actor UINTEGER,
  handshake UINTEGER,
  source UINTEGER,
  destination UINTEGER,
  assigned UINTEGER,
  source_port USMALLINT,
  destination_port USMALLINT,
  tcp_flags USMALLINT,
  duration_ns BIGINT,
  source_bytes UBIGINT,
  destination_bytes UBIGINT,
  source_packets UBIGINT,
  destination_packets UBIGINT,
  session_id UBIGINT,
  line UINTEGER,
  byte_offset UBIGINT
);

CREATE VIEW events AS
SELECT
  e.time,
  nullif(e.duration_ns, 0) / 1e9 AS duration_s,
  c.class, c.activity, c.outcome, c.action, c.service, c.direction,
  c.dataset, c.code, c.reason, c.observer, c.observer_ip,
  a.user_name, a.user_domain, a.user_group, c.auth_method, c.mfa, c.logon_type,
  s.ip AS source_ip, nullif(e.source_port, 0) AS source_port,
  sn.asn AS source_asn, sn.org AS source_org, sn.country AS source_country, sn.city AS source_city,
  sn.network_type AS source_network_type, sn.latitude AS source_latitude, sn.longitude AS source_longitude,
  d.ip AS destination_ip, nullif(e.destination_port, 0) AS destination_port,
  dn.asn AS destination_asn, dn.org AS destination_org, dn.country AS destination_country, dn.city AS destination_city,
  dn.network_type AS destination_network_type,
  t.ip AS assigned_ip,
  c.protocol, c.application, nullif(e.tcp_flags, 0) AS tcp_flags,
  nullif(e.source_bytes, 0) AS source_bytes, nullif(e.destination_bytes, 0) AS destination_bytes,
  nullif(e.source_packets, 0) AS source_packets, nullif(e.destination_packets, 0) AS destination_packets,
  c.sampling, nullif(e.session_id, 0) AS session_id,
  a.client_host, a.client_os, a.user_agent,
  c.ingress, c.egress, c.ingress_index, c.egress_index,
  h.fingerprint, h.server_fingerprint, h.certificate_issuer, h.certificate_subject,
  h.certificate_fingerprint, h.banner,
  c.rule, c.region,
  c.file, nullif(e.line, 0) AS line, e.byte_offset
FROM event_rows e
JOIN contexts c ON c.id = e.context
JOIN actors a ON a.id = e.actor
JOIN handshakes h ON h.id = e.handshake
JOIN addresses s ON s.id = e.source
JOIN networks sn ON sn.id = s.network
JOIN addresses d ON d.id = e.destination
JOIN networks dn ON dn.id = d.network
JOIN addresses t ON t.id = e.assigned;

CREATE VIEW logins AS SELECT * FROM events WHERE class = 'authentication' AND activity = 'logon';

CREATE TABLE findings (
  id VARCHAR NOT NULL,
  time TIMESTAMP,
  end_time TIMESTAMP,
  kind VARCHAR NOT NULL,
  score DOUBLE NOT NULL,
  log_odds DOUBLE NOT NULL,
  severity VARCHAR NOT NULL,
  alert BOOLEAN NOT NULL,
  outcome VARCHAR,
  user_name VARCHAR,
  user_count UBIGINT,
  source_ip VARCHAR,
  source_count UBIGINT,
  source_asn UINTEGER,
  source_org VARCHAR,
  source_country VARCHAR,
  source_city VARCHAR,
  source_network_type VARCHAR,
  source_claims VARCHAR,
  source_latitude DOUBLE,
  source_longitude DOUBLE,
  gateway VARCHAR,
  device VARCHAR,
  hypothesis VARCHAR,
  attack VARCHAR[],
  advice VARCHAR,
  network VARCHAR,
  json VARCHAR NOT NULL
);
CREATE TABLE evidence (
  finding_id VARCHAR NOT NULL,
  rank UINTEGER NOT NULL,
  kind VARCHAR,
  detector VARCHAR,
  llr DOUBLE,
  says VARCHAR
);
CREATE TABLE finding_records (
  finding_id VARCHAR NOT NULL,
  rank UINTEGER NOT NULL,
  file VARCHAR,
  line UINTEGER,
  byte_offset UBIGINT,
  raw VARCHAR
);

CREATE TABLE profiles (kind VARCHAR NOT NULL, key VARCHAR NOT NULL, json VARCHAR NOT NULL);

CREATE TABLE inputs (
  path VARCHAR NOT NULL,
  format VARCHAR,
  recognised BOOLEAN NOT NULL,
  error VARCHAR,
  bytes UBIGINT NOT NULL,
  records UBIGINT NOT NULL,
  events UBIGINT NOT NULL,
  ignored UBIGINT NOT NULL,
  rejected UBIGINT NOT NULL,
  first_time TIMESTAMP,
  last_time TIMESTAMP
);
-- fate: 'event' (reason is the format), 'ignored' or 'rejected'.
CREATE TABLE input_reasons (path VARCHAR NOT NULL, fate VARCHAR NOT NULL, reason VARCHAR NOT NULL, records UBIGINT NOT NULL);
CREATE TABLE hypotheses (
  detector VARCHAR NOT NULL,
  hypothesis VARCHAR,
  tested BOOLEAN NOT NULL,
  why_not VARCHAR,
  events UBIGINT NOT NULL
);

INSERT INTO networks (id) VALUES (0);
INSERT INTO addresses (id, network) VALUES (0, 0);
INSERT INTO contexts (id) VALUES (0);
INSERT INTO actors (id) VALUES (0);
INSERT INTO handshakes (id) VALUES (0);
