const names: Readonly<Record<string, readonly string[]>> = {
  level: [
    'severity',
    'lvl',
    'log.level',
    'levelname',
    'loglevel',
    'log_level',
    'severity_text',
    'severityText',
  ],
  message: ['msg'],
  service: ['service.name', 'serviceName', 'service_name', 'app', 'application', 'logger'],
  host: ['hostname', 'host.name', 'host.hostname'],
  correlationId: ['correlation_id', 'correlation.id', 'correlationID', 'x-correlation-id'],
  requestId: ['request_id', 'request.id', 'requestID', 'reqId', 'req_id', 'x-request-id', 'http.request.id'],
  traceId: ['trace_id', 'trace.id', 'traceID', 'dd.trace_id'],
  sessionId: ['session_id', 'session.id', 'sessionID'],
  spanId: ['span_id', 'span.id', 'spanID', 'dd.span_id'],
};

/** What ingest makes of names that it knows: a rule that names one is about the field. Those that mean too much elsewhere are left out. */
export const ingestedFields: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(names).flatMap(([field, aliases]) => aliases.map((alias) => [alias, field])),
);
