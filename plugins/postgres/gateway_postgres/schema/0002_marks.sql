-- Names that count once, until they expire.

CREATE TABLE gateway.marks (
    tenant text,
    name text,
    until double precision NOT NULL,
    PRIMARY KEY (tenant, name)
);
CREATE INDEX ON gateway.marks (until);
