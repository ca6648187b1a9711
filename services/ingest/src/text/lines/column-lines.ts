import { refineAccess } from '../layouts/refine.ts';
import { setField, type TextEvent } from '../layouts/layout.ts';
import { formatMicros } from '@logloom/schemas';
import { scanAnyTime } from '../time/any-time.ts';
import type { TimeContext } from '../time/scan-parts.ts';
import { readMicros } from '../time/time-format.ts';
import { timeZone } from '../time/time-zone.ts';

const known: Readonly<Record<string, string>> = {
  'cs-method': 'http.request.method',
  'cs-uri-stem': 'url.path',
  'cs-uri-query': 'url.query',
  'cs(user-agent)': 'user_agent.original',
  'cs(referer)': 'http.request.referrer',
  'cs-username': 'user.name',
  'cs-host': 'url.domain',
  'cs(host)': 'url.domain',
  'c-ip': 'client.address',
  'src-ip': 'source.address',
  'dst-ip': 'destination.address',
  's-ip': 'server.address',
  's-port': 'server.port',
  's-computername': 'host',
  'sc-status': 'status',
  'sc-bytes': 'bytes',
  'time-taken': 'event.duration_ms',
  'x-edge-request-id': 'requestId',
  'x-host-header': 'url.domain',
};

/** Reads files that name their columns themselves: W3C extended (IIS, CloudFront, Windows Firewall) and Zeek. */
export class ColumnReader {
  #columns: readonly string[] = [];
  #isTabbed = false;
  #isLocal = false;

  /** Whether the line is one of the file's own about its columns; it is no event. */
  isDirective(text: string): boolean {
    if (text.charCodeAt(0) !== 0x23) return false;
    const fields = /^#fields:?[ \t]\s*/i.exec(text);
    if (fields !== null) {
      const rest = text.slice(fields[0].length);
      this.#isTabbed = rest.includes('\t');
      this.#columns = rest.trim().split(this.#isTabbed ? '\t' : /\s+/);
      return true;
    }
    if (/^#Time Format: Local/i.test(text)) this.#isLocal = true;
    return /^#(?:(?:Version|Software|Date|Start-Date|End-Date|Remark|Time Format):|(?:separator|set_separator|empty_field|unset_field|path|open|close|types)[ \t])/i.test(
      text,
    );
  }

  /** The event of a line that has the columns; undefined for any other text. */
  read(text: string, context: TimeContext): TextEvent | undefined {
    const columns = this.#columns;
    if (columns.length === 0) return undefined;
    const values = text.split(this.#isTabbed || text.includes('\t') ? '\t' : /\s+/);
    if (values.length < columns.length || values.length > columns.length + 1) return undefined;
    const event: TextEvent = {};
    let date = '';
    let time = '';
    columns.forEach((column, i) => {
      const value = values[i]!;
      const name = column.toLowerCase();
      if (name === 'date') date = value;
      else if (name === 'time' || name === 'ts') time = value;
      else {
        const path = known[name] ?? name.replace(/[()]/g, '-').replace(/-$/, '');
        const isNumber = /(?:port|duration_ms)$/.test(path) && /^\d{1,15}$/.test(value);
        // W3C writes blanks as plus signs.
        const isAgent = path === 'user_agent.original';
        setField(
          event,
          path.split('.'),
          isNumber ? Number(value) : isAgent ? value.replaceAll('+', ' ') : value,
        );
      }
    });
    const zone = this.#isLocal ? context.zone : timeZone('UTC')!;
    const when = date === '' ? time : `${date} ${time}`;
    if (scanAnyTime(when, 0, when.length, { ...context, zone }) === when.length)
      event['timestamp'] = formatMicros(readMicros());
    refineAccess(event);
    if (/^(?:drop|deny|block)/i.test(String(event['action']))) event['level'] = 'warn';
    event['message'] = text;
    return event;
  }
}
