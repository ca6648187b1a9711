"""Sends the lines of the test with Elastic's client: the arguments are the address, their number and the service."""

import sys
from datetime import datetime, timedelta, timezone

from elasticsearch import Elasticsearch, helpers

address, count, service = sys.argv[1], int(sys.argv[2]), sys.argv[3]
levels = ["trace", "debug", "info", "warn", "error", "fatal"]
base = datetime(2026, 1, 1, tzinfo=timezone.utc)

client = Elasticsearch(address, http_compress=True)
client.info()
result = helpers.bulk(
    client,
    (
        {
            "_op_type": "create",
            "_index": "logs-python",
            "@timestamp": base + timedelta(milliseconds=i),
            "log.level": levels[i % 6],
            "message": f"line {i}",
            "service": {"name": service},
            "host": {"name": "h1"},
            "trace": {"id": f"{i // 10 + 1:032x}"},
            "span": {"id": f"{i + 1:016x}"},
            "n": i,
        }
        for i in range(count)
    ),
)
print(result)
