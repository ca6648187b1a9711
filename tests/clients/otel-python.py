"""Logs the lines of the test through OpenTelemetry's SDK: the arguments are their number and the service."""

import sys

from opentelemetry._logs import SeverityNumber
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

count, service = int(sys.argv[1]), sys.argv[2]
severities = [SeverityNumber(1 + 4 * rank) for rank in range(6)]

provider = LoggerProvider(resource=Resource.create({"service.name": service, "host.name": "h1"}))
# The address is in OTEL_EXPORTER_OTLP_ENDPOINT.
exporter = OTLPLogExporter(compression=Compression.Gzip)
provider.add_log_record_processor(BatchLogRecordProcessor(exporter, max_queue_size=count))
logger = provider.get_logger("test")
for i in range(count):
    span = SpanContext(i // 10 + 1, i + 1, is_remote=False, trace_flags=TraceFlags(1))
    logger.emit(
        timestamp=(1_767_225_600_000 + i) * 1_000_000,
        context=set_span_in_context(NonRecordingSpan(span)),
        severity_number=severities[i % 6],
        body=f"line {i}",
        attributes={"n": i},
    )
provider.shutdown()
