-- Covert networks and their nodes (docs/networks.md), as they stood at the end of the hunt or at the last checkpoint.
CREATE TABLE covert_networks (
  id VARCHAR NOT NULL,
  first TIMESTAMP,
  last TIMESTAMP,
  confidence DOUBLE,
  active_nodes BIGINT,
  nodes BIGINT,
  size DOUBLE,
  size_low DOUBLE,
  size_high DOUBLE,
  half_life_days DOUBLE,
  looks_like VARCHAR,
  json VARCHAR NOT NULL
);
CREATE TABLE covert_network_nodes (
  network_id VARCHAR NOT NULL,
  ip VARCHAR NOT NULL,
  first TIMESTAMP,
  last TIMESTAMP,
  active BOOLEAN,
  role VARCHAR,
  asn BIGINT,
  org VARCHAR,
  country VARCHAR,
  city VARCHAR,
  network_type VARCHAR,
  sightings BIGINT
);
