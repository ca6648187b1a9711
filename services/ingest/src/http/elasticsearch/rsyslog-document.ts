import type { GivenFields } from '../../event/normalize.ts';
import { levelOfText } from '../../event/parse-level.ts';
import { parseTimestamp } from '../../event/parse-timestamp.ts';

type Document = Readonly<Record<string, unknown>>;

/** Names of the program in the templates of omelasticsearch's and rsyslog's documentation, the preferred one first. */
const programNames = ['programname', 'app-name', 'appname', 'app_name', 'tag', 'syslogtag'];
/** Where one of them stands, rsyslog has written the document: these names mean nothing like it elsewhere. */
const facilityNames = ['facility', 'syslogfacility-text', 'syslogfacility'];

/**
 * The fields of a document that rsyslog has written by its standard template or one of its documentation, as far as their names are
 * syslog's own. The names stay attributes: a tag also holds the process id. Undefined for every other document.
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
  // app[77]: is the tag of BSD syslog.
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
