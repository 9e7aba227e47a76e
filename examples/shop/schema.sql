-- The shop's own database. Times are ISO 8601 in UTC, amounts whole cents.
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS product (
    id TEXT PRIMARY KEY, category TEXT NOT NULL, price INTEGER NOT NULL CHECK (price > 0),
    stock INTEGER NOT NULL CHECK (stock >= 0), name_en TEXT NOT NULL, name_hant TEXT NOT NULL, name_hans TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS customer (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL UNIQUE, locale TEXT NOT NULL, address TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS customer_order (
    id TEXT PRIMARY KEY, customer_id TEXT NOT NULL REFERENCES customer (id), status TEXT NOT NULL CHECK (status IN
        ('pending', 'paid', 'packed', 'shipped', 'delivered', 'cancelled', 'returned')),
    placed_at TEXT NOT NULL, total INTEGER NOT NULL, address TEXT NOT NULL, carrier TEXT, tracking_number TEXT,
    expected_on TEXT, delivered_at TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS customer_order_of ON customer_order (customer_id, placed_at DESC);

CREATE TABLE IF NOT EXISTS order_item (
    order_id TEXT NOT NULL REFERENCES customer_order (id), position INTEGER NOT NULL,
    product_id TEXT NOT NULL REFERENCES product (id), quantity INTEGER NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (order_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS refund (
    id TEXT PRIMARY KEY, order_id TEXT NOT NULL UNIQUE REFERENCES customer_order (id),
    kind TEXT NOT NULL CHECK (kind IN ('refund', 'exchange')),
    status TEXT NOT NULL CHECK (status IN ('requested', 'approved', 'refused', 'paid')),
    reason TEXT NOT NULL, note TEXT NOT NULL, amount INTEGER NOT NULL, updated_at TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What changing calls with an Idempotency-Key were answered.
CREATE TABLE IF NOT EXISTS answer (
    key TEXT PRIMARY KEY, request_hash BLOB NOT NULL, status INTEGER NOT NULL, body BLOB NOT NULL, at TEXT NOT NULL
) STRICT, WITHOUT ROWID;
