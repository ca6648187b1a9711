import { fieldNames, lifts, traceHeaders } from '../../services/ingest/src/event/field-names.ts';
import type { EventFormat } from '../../services/ingest/src/event/formats/event-format.ts';
import { knownFormats } from '../../services/ingest/src/event/formats/known-formats.ts';
import { levelWords } from '../../services/ingest/src/event/parse-level.ts';
import { noteReasons } from '../../services/ingest/src/event/parse-notes.ts';

const intro = `# Fields

<!-- Made by \`npm run docs\` from the declarations: change them, not this page. -->

What ingest reads in a structured event, whichever way it comes in ([ADR 50](adr/0050-formats-are-layers-of-one-table.md)). A name means a field in three layers, of
which the first that can be read wins: the names of the event's [format](#formats), the [names of all events](#names), and the same names in
[objects around](#objects) an event's fields. What loses stays an attribute, and so does everything else, with its nesting, order and types.

- **Names match without regard to case and separators**, nested or dotted: \`TraceId\`, \`trace_id\`, \`trace-id\` and \`{"trace":{"id":…}}\`. One that matches exactly wins over one that does not.
- **No event is refused for one field.** A value that cannot be read stays an attribute, as it came, and the next name is tried. Where none can be read, the event has the attribute
  \`parseNotes\`, a list of \`field: reason\` with the reasons ${noteReasons.map((reason) => `\`${reason}\``).join(', ')}, and \`logloom_ingest_parse_notes_total\` counts it by receiver and reason.
  \`logloom search 'parseNotes:*'\` lists such events, and \`logloom aggregate --by attributes.parseNotes\` (\`/api/fields?field=attributes.parseNotes\`) counts what was not understood.
- **JSON in the message**, as shippers hand on the lines of programs, is read as the event where it has a message or a level of its own, or a known format. What it says wins over
  what the shipper says around it; members that both have are in \`outer\`.
- **An event without a level** has that of its message, where it is a line in a known [layout](layouts.md); and the line's time and ids, where it has none of its own. The message stays whole.
- **An event without a message** gets one made of method, path, status and duration, else of its error's text. A status of 5xx then means \`error\`, and 4xx \`warn\`, where the event has no level.
`;

const times = `## Times

RFC 3339 and its relatives (a blank for the T, a comma for the point, slashes, no seconds, up to 12 digits of fraction, a zone by offset or name, \`[Europe/Paris]\`), RFC 2822 and 850, C's asctime
and \`date\`, JavaScript's, Go's, Apache's, Oracle's, US and European dates, \`20250314T092653Z\`, TAI64N, \`/Date(…)/\`; objects and lists of seconds and nanoseconds, MongoDB's \`$date\`, PHP's and Java's.
The magnitude of a number tells its unit, at every receiver: seconds, milliseconds, microseconds, nanoseconds since 1970, and .NET's and Windows' ticks.

- A time without a zone is in \`INGEST_TIME_ZONE\` (default UTC); a sender says another one by the header \`Logloom-Time-Zone\` or the parameter \`time-zone\`: \`Europe/Paris\`, \`+02:00\`, \`CEST\`.
- What is before 1973 is no time: a duration, a counter, or a time that was never set, such as Go's zero time.
- An event without a time, or with one more than 24 hours ahead, has the time of receipt.
`;

const ids = `## Ids

A trace id has one form, the W3C's 32 hexadecimal digits in lower case, with zeros in front of an id of 64 bits; a span id has 16. Upper case, \`0x\`, UUIDs with dashes, Datadog's decimals, X-Ray's \`1-…-…\`, Google Cloud's \`projects/…/traces/…\` and
base64 are read; the spelling as it came stays an attribute, so that it can be searched for. Ids of another kind stay as they are.

- Headers with both ids: ${traceHeaders.map((name) => `\`${name}\``).join(' ')}. They stay attributes.
- An event without an id in a field has those that its message names: \`request_id: x\`, \`traceId=x\`, \`"correlation-id": "x"\`; then what \`INGEST_ID_PATTERNS\` find.
- \`-\`, \`null\`, \`undefined\`, \`N/A\`, zeros and [other placeholders](ids.md#ids) are no ids: the next name is tried.
`;

const code = (names: readonly string[]): string => names.map((name) => `\`${name}\``).join(' ');

/** docs/fields.md: what the tables of ingest say. */
export function fieldsPage(): string {
  const names = Object.entries(fieldNames).map(([field, list]) => `| ${field} | ${code(list)} |`);
  const objects = Object.entries(lifts).map(([name, { fields }]) => `| \`${name}\` | ${fields.join(', ')} |`);
  const words = Object.entries(levelWords).map(([level, list]) => `| ${level} | ${code(list)} |`);
  return [
    intro,
    '## Names\n\nThe preferred one first. `INGEST_FIELD_NAMES` adds your own in front, one field a line: `timestamp=posted_at,event.when`.\n',
    ['| field | names |', '| --- | --- |', ...names].join('\n'),
    '\n## Objects\n\nFields that are looked for in an object, under the names that they have outside of it. Its members may be lists of such objects.\n',
    ['| object | fields |', '| --- | --- |', ...objects].join('\n'),
    '\n## Levels\n\nWords in any case, also as `[ERROR]`, `LogLevel.Error`, `SEVERITY_ERROR`, `ERROR+4` (slog) and `INFO2` (OpenTelemetry).\n',
    ['| level | words |', '| --- | --- |', ...words].join('\n'),
    "\nNumbers go by the format's scale, else by the name's (`severityNumber` OpenTelemetry's, `severity` Google Cloud's, `levelno` Python's, `level_value` log4j's), else by their size: 0 to 7 are syslog's, tens pino's and bunyan's (10 trace … 60 fatal), hundreds Monolog's, thousands log4j's. Any other word means `info`, and stays an attribute.\n",
    times,
    ids,
    '## Formats\n\nAn event has a format by names that no other has; its own names then win.\n',
    ['| format | known by | its own names |', '| --- | --- | --- |', ...knownFormats.map(row)].join('\n'),
    '',
  ].join('\n');
}

function row({ name, source, has, fields = {}, lifts: objects = {}, levels, service }: EventFormat): string {
  const own = Object.entries(fields).map(([field, list]) => `${field}: ${code(list)}`);
  const inside = Object.keys(objects);
  const more = [
    ...(inside.length > 0 ? [`fields in ${code(inside)}`] : []),
    ...(levels === undefined ? [] : [`levels of ${levels}`]),
    ...(service === undefined ? [] : [`service ${service}`]),
  ];
  return `| [${name}](${source}) | ${has.map((list) => code(list)).join(', or ')} | ${[...own, ...more].join('; ')} |`;
}
