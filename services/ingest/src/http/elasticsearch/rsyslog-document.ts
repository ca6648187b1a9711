import type { GivenFields } from '../../event/normalize.ts';
import { levelOfText } from '../../event/parse-level.ts';
import { parseTimestamp } from '../../event/parse-timestamp.ts';

type Document = Readonly<Record<string, unknown>>;

/** The names of the program in the templates of omelasticsearch's and rsyslog's documentation, the preferred one first. */
const programNames = ['programname', 'app-name', 'appname', 'app_name', 'tag', 'syslogtag'];
/** A document with one of these names was written by rsyslog: no other shipper uses them. */
const facilityNames = ['facility', 'syslogfacility-text', 'syslogfacility'];

/**
 * Returns the fields of a document that rsyslog has written by its standard template or one of its documentation, as far as their names
 * are syslog's own. The names stay attributes too: a tag also holds the process id. Undefined for every other document.
 */
export function rsyslogFields(document: Document): GivenFields | undefined {
  if (!facilityNames.some((name) => name in document)) return undefined;
  const text = (...names: string[]): string | undefined => {
    for (const name of names) {
      const value = document[name];
      if (typeof value === 'string' && value !== '' && value !== '-') return value;
    }
    return undefined;
  };
  const has = (...names: string[]): boolean => names.some((name) => name in document);
  const fields: GivenFields = {};
  // In BSD syslog, app[77]: is a tag.
  if (!has('service', 'service.name', 'app'))
    fields.service = text(...programNames)?.replace(/(\[[^\]]*\])?:?$/, '') || undefined;
  if (!has('host', 'hostname')) fields.host = text('fromhost');
  if (!has('level', 'severity'))
    fields.level = levelOfText(text('priority', 'syslogseverity-text', 'syslogpriority-text') ?? '');
  if (!has('timestamp', '@timestamp', 'time')) {
    const micros = parseTimestamp(text('timereported', 'timegenerated'));
    if (!Number.isNaN(micros)) fields.timestamp = micros;
  }
  return fields;
}
