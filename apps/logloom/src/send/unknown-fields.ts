import { fieldNames } from '@logloom/ingest/field-names';

export type UnknownField = 'time' | 'level' | 'service';
type Content = string | Readonly<Record<string, unknown>>;
export type UnknownCounts = Record<UnknownField, number>;

/** Of the events after the first, one in so many objects is looked at: parsing each would cost as much as sending it. */
const sampledAll = 1000;
const sampleEvery = 20;
/** What of all lines may be unknown before it is said. */
const tolerated = 0.1;
const maxExample = 120;

const hints: Record<UnknownField, string> = {
  time: 'a format with %{TIME} in FORMATS reads it (docs/formats.md); try it with `logloom formats try`',
  level:
    'a format with %{LEVEL:level} in FORMATS reads it (docs/formats.md); try it with `logloom formats try`',
  service: '--service names it',
};

/** Counts the events whose time, level or service nothing says. */
export class UnknownFields {
  readonly counts: UnknownCounts = { time: 0, level: 0, service: 0 };
  readonly #examples: Partial<Record<UnknownField, string>> = {};
  #events = 0;
  #looked = 0;

  /** `content`: the text of a JSON object, or the fields that were read. `sent`: the same with what was added to it. */
  count(content: Content, file: string, sent: Content = content): void {
    this.#events++;
    const isText = typeof content === 'string';
    if (isText && this.#events > sampledAll && this.#events % sampleEvery !== 0) return;
    const weight = isText && this.#events > sampledAll ? sampleEvery : 1;
    this.#looked += weight;
    const names = namesIn(sent);
    for (const field of ['time', 'level', 'service'] as const) {
      if (known[field].some((name) => names.has(name))) continue;
      this.counts[field] += weight;
      this.#examples[field] ??= `${file}: ${exampleOf(content)}`;
    }
  }

  /** What to tell at the end: of each field that is unknown for more than a tenth of the events, an example and what would help. */
  warnings(): string[] {
    return (['time', 'level', 'service'] as const).flatMap((field) => {
      const share = this.counts[field] / this.#looked;
      if (!(share > tolerated)) return [];
      const instead = {
        time: 'they have the time of their receipt',
        level: 'they are info',
        service: 'it is unknown',
      }[field];
      return [
        `the ${field} of ${Math.round(share * 100)} % of the lines is not known: ${instead}. For example ${this.#examples[field]}\n  ${hints[field]}`,
      ];
    });
  }
}

const plain = (name: string): string => name.toLowerCase().replace(/[^a-z0-9@]/g, '');
const known = {
  time: [...fieldNames.timestamp.map(plain), '@t', 'realtimetimestamp'],
  level: [...fieldNames.level.map(plain), '@l', 'priority'],
  service: [...fieldNames.service.map(plain), 'syslogidentifier'],
};

function namesIn(content: string | Readonly<Record<string, unknown>>): Set<string> {
  const names = new Set<string>();
  let object: unknown = content;
  if (typeof content === 'string')
    try {
      object = JSON.parse(content);
    } catch {
      return names;
    }
  addNames(object as Record<string, unknown>, '', names, 0);
  return names;
}

function addNames(
  object: Readonly<Record<string, unknown>>,
  before: string,
  names: Set<string>,
  depth: number,
): void {
  for (const [name, value] of Object.entries(object)) {
    if (value === null || value === undefined || value === '') continue;
    names.add(plain(before + name));
    if (typeof value === 'object' && !Array.isArray(value) && depth < 3)
      addNames(value as Record<string, unknown>, before + name, names, depth + 1);
    // A container's line may hold the event.
    else if (
      typeof value === 'string' &&
      (name === 'log' || name === 'message') &&
      value.startsWith('{') &&
      depth < 2
    )
      for (const inner of namesIn(value)) names.add(inner);
  }
}

function exampleOf(content: string | Readonly<Record<string, unknown>>): string {
  const message = typeof content === 'string' ? content : content['message'];
  const text = typeof message === 'string' ? message : JSON.stringify(content);
  const line = text.split('\n', 1)[0]!;
  return line.length > maxExample ? `${line.slice(0, maxExample - 1)}…` : line;
}
