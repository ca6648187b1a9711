import { scanAnyTime } from '../time/any-time.ts';
import type { TimeContext } from '../time/scan-parts.ts';
import { compileTimeFormat, readMicros } from '../time/time-format.ts';
import { fieldTypes, grokNames } from './field-types.ts';
import { parsePattern, PatternError, type PatternNode } from './parse-pattern.ts';

/** What a pattern read: a value by the number of its name; undefined where its group is missing. */
export type Values = unknown[];

/** The line that is being read. */
interface Line {
  text: string;
  /** The end of the first line. */
  end: number;
  values: Values;
  context: TimeContext;
  /** The instant of the pattern's time; NaN before it. */
  micros: number;
}

/** Reads on at a place; returns the place behind, or -1. */
type Step = (line: Line, at: number) => number;

export interface Pattern {
  /** The names of the fields, dotted for nested ones. */
  names: readonly string[];
  /** The characters that a line can begin with; undefined: any. */
  firstCharacters: ReadonlySet<number> | undefined;
  /** The values of a text that has the pattern from its first character to the end of its first line. */
  match: (text: string, context: TimeContext) => Match | undefined;
}

export interface Match {
  values: Values;
  /** Microseconds since 1970; NaN without a time. */
  micros: number;
  /** The place behind what was read; less than the line's end where the pattern leaves the rest. */
  end: number;
}

const grokTimes: Readonly<Record<string, string>> = {
  TIMESTAMP_ISO8601: 'iso8601',
  HTTPDATE: 'http',
  SYSLOGTIMESTAMP: 'syslog',
  EPOCH: 'epoch',
};
const maxLength = 4000;

/**
 * Compiles a pattern. What it reads once it never reads again: a field takes all of its characters, a group that fits keeps what it took,
 * and so the time for a line is at the most its length times the pattern's. `times` are the forms of %{TIME}; without any, every known one.
 * Throws PatternError and, for a time's format, RangeError.
 */
export function compilePattern(source: string, times: readonly string[] = []): Pattern {
  if (source.length > maxLength)
    throw new PatternError(maxLength, `a pattern has at most ${maxLength} characters`);
  return new Compiler(source, times).pattern();
}

class Compiler {
  readonly #source: string;
  readonly #times: readonly string[];
  readonly #scanTime: TimeScan;
  readonly #names: string[] = [];

  constructor(source: string, times: readonly string[]) {
    this.#source = source;
    this.#times = times;
    this.#scanTime = timeScan(times);
  }

  pattern(): Pattern {
    const nodes = parsePattern(this.#source);
    if (nodes.length === 0) throw new PatternError(0, 'the pattern is empty');
    const step = this.#sequence(nodes, true);
    const names = this.#names;
    const first = new Set<number>();
    const isKnown = addFirst(nodes, first, this.#times);
    return {
      names,
      firstCharacters: isKnown ? first : undefined,
      match: (text, context) => {
        const newline = text.indexOf('\n');
        const line: Line = {
          text,
          end: newline === -1 ? text.length : newline,
          values: new Array<unknown>(names.length),
          context,
          micros: Number.NaN,
        };
        const end = step(line, 0);
        return end < 0 ? undefined : { values: line.values, micros: line.micros, end };
      },
    };
  }

  #sequence(nodes: readonly PatternNode[], isLast: boolean): Step {
    const steps: Step[] = [];
    for (let i = 0; i < nodes.length; i++) {
      const node = nodes[i]!;
      if (node.kind !== 'field' || !['DATA', 'GREEDYDATA'].includes(node.type)) {
        steps.push(this.#node(node, isLast && i === nodes.length - 1));
        continue;
      }
      const slot = this.#slot(node.name);
      const isEnd = i === nodes.length - 1;
      if (isEnd && isLast) steps.push(restStep(slot));
      else if (node.type === 'GREEDYDATA')
        throw new PatternError(
          node.at,
          'GREEDYDATA is the rest of the line, so it is the last: write DATA for text up to what follows',
        );
      else {
        // The text up to what stands behind it.
        const behind: PatternNode[] = [];
        while (nodes[i + 1] !== undefined && ['text', 'blank'].includes(nodes[i + 1]!.kind))
          behind.push(nodes[++i]!);
        if (behind.length === 0)
          throw new PatternError(node.at, 'text or a blank must stand behind DATA, which ends there');
        steps.push(dataStep(slot, behind));
      }
    }
    if (steps.length === 1) return steps[0]!;
    return (line, at) => {
      let i = at;
      for (const step of steps) {
        i = step(line, i);
        if (i < 0) return -1;
      }
      return i;
    };
  }

  #node(node: PatternNode, isLast: boolean): Step {
    if (node.kind === 'text') return textStep(node.text);
    if (node.kind === 'blank') return blankStep;
    if (node.kind === 'group') return this.#group(node.choices, node.isOptional, isLast);
    const type = Object.hasOwn(grokNames, node.type) ? grokNames[node.type]! : node.type;
    if (type === 'TIME' || Object.hasOwn(grokTimes, type)) return this.#time(type);
    const known = Object.hasOwn(fieldTypes, type) ? fieldTypes[type] : undefined;
    if (known === undefined)
      throw new PatternError(
        node.at,
        `the type ${node.type} is not known: there are ${['TIME', 'DATA', 'GREEDYDATA', ...Object.keys(fieldTypes)].join(', ')}`,
      );
    const slot = this.#slot(node.name);
    const { scan, value } = known;
    return (line, at) => {
      const behind = scan(line.text, at, line.end);
      if (behind >= 0 && slot >= 0) {
        const text = line.text.slice(at, behind);
        line.values[slot] = value === undefined ? text : value(text);
      }
      return behind;
    };
  }

  #time(type: string): Step {
    const scan = Object.hasOwn(grokTimes, type) ? timeScan([grokTimes[type]!]) : this.#scanTime;
    return (line, at) => {
      const behind = scan(line.text, at, line.end, line.context);
      if (behind > 0 && Number.isNaN(line.micros)) line.micros = scannedMicros;
      return behind;
    };
  }

  #group(choices: readonly PatternNode[][], isOptional: boolean, isLast: boolean): Step {
    const from = this.#names.length;
    // Of words the longest fits first, whatever their order: (http|https).
    const ordered = choices.every(isText) ? choices.toSorted((a, b) => lengthOf(b) - lengthOf(a)) : choices;
    const steps = ordered.map((choice) => this.#sequence(choice, isLast));
    const to = this.#names.length;
    return (line, at) => {
      const { micros } = line;
      for (const step of steps) {
        const behind = step(line, at);
        if (behind >= 0) return behind;
        line.values.fill(undefined, from, to);
        line.micros = micros;
      }
      return isOptional ? at : -1;
    };
  }

  #slot(name: string | undefined): number {
    if (name === undefined) return -1;
    const known = this.#names.indexOf(name);
    // The choices of a group may have the same names.
    return known >= 0 ? known : this.#names.push(name) - 1;
  }
}

/** Returns the place behind a time, or -1; `scannedMicros` is its instant. */
type TimeScan = (text: string, at: number, end: number, context: TimeContext) => number;

let scannedMicros = Number.NaN;
const timeScans = new Map<string, TimeScan>();

/** Of patterns with the same forms of time: what one has read at a place, the next need not read again. */
function timeScan(sources: readonly string[]): TimeScan {
  const key = sources.join('\n');
  const known = timeScans.get(key);
  if (known !== undefined) return known;
  const formats = sources.map((source) => compileTimeFormat(source));
  // A context is reused with other times of receipt.
  let last:
    | { text: string; at: number; context: TimeContext; receivedAtMs: number; behind: number; micros: number }
    | undefined;
  const scan: TimeScan = (text, at, end, context) => {
    const { receivedAtMs } = context;
    if (
      last?.at === at &&
      last.context === context &&
      last.receivedAtMs === receivedAtMs &&
      last.text === text
    ) {
      scannedMicros = last.micros;
      return last.behind;
    }
    let behind = -1;
    if (formats.length === 0) behind = scanAnyTime(text, at, end, context);
    else
      for (let i = 0; behind < 0 && i < formats.length; i++)
        behind = formats[i]!.scan(text, at, end, context);
    scannedMicros = behind > 0 ? readMicros() : Number.NaN;
    last = { text, at, context, receivedAtMs, behind, micros: scannedMicros };
    return behind;
  };
  timeScans.set(key, scan);
  return scan;
}

function isText(choice: readonly PatternNode[]): boolean {
  return choice.length === 1 && choice[0]!.kind === 'text';
}

function lengthOf([node]: readonly PatternNode[]): number {
  return node?.kind === 'text' ? node.text.length : 0;
}

function textStep(expected: string): Step {
  if (expected.length === 1) {
    const code = expected.charCodeAt(0);
    return ({ text, end }, at) => (at < end && text.charCodeAt(at) === code ? at + 1 : -1);
  }
  return ({ text, end }, at) =>
    at + expected.length <= end && text.startsWith(expected, at) ? at + expected.length : -1;
}

const blankStep: Step = ({ text, end }, at) => {
  let i = at;
  while (i < end && isBlank(text.charCodeAt(i))) i++;
  return i === at ? -1 : i;
};

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** The rest of the text, with its further lines. */
function restStep(slot: number): Step {
  return (line, at) => {
    if (slot >= 0) line.values[slot] = line.text.slice(at);
    return line.end;
  };
}

function dataStep(slot: number, behind: readonly PatternNode[]): Step {
  const take = (line: Line, at: number, to: number): void => {
    if (slot >= 0) line.values[slot] = line.text.slice(at, to);
  };
  const [first] = behind;
  if (behind.length === 1 && first!.kind === 'text') {
    const { text: mark } = first!;
    return (line, at) => {
      const found = line.text.indexOf(mark, at);
      if (found < 0 || found + mark.length > line.end) return -1;
      take(line, at, found);
      return found + mark.length;
    };
  }
  const steps = behind.map((node) => (node.kind === 'text' ? textStep(node.text) : blankStep));
  const startsBlank = first!.kind === 'blank';
  return (line, at) => {
    for (let i = at; i < line.end; i++) {
      const code = line.text.charCodeAt(i);
      // In a run of blanks only the first place is tried.
      if (
        startsBlank
          ? !isBlank(code) || (i > at && isBlank(line.text.charCodeAt(i - 1)))
          : code !== (first as { text: string }).text.charCodeAt(0)
      )
        continue;
      let end = i;
      for (let s = 0; end >= 0 && s < steps.length; s++) end = steps[s]!(line, end);
      if (end < 0) continue;
      take(line, at, i);
      return end;
    }
    return -1;
  };
}

/** Adds the characters that a sequence can begin with; false where any can be. */
function addFirst(nodes: readonly PatternNode[], into: Set<number>, times: readonly string[]): boolean {
  for (const node of nodes) {
    if (node.kind === 'blank') return addAll(into, ' \t');
    if (node.kind === 'text') return addAll(into, node.text[0]!);
    if (node.kind === 'field') {
      const type = grokNames[node.type] ?? node.type;
      if (type === 'TIME') {
        if (times.length === 0) return addAll(into, `0123456789${letters}`);
        for (const time of times)
          addAll(into, /^(?:%[aAbBh]|syslog|rfc2822)/.test(time) ? letters : ' 0123456789');
        return true;
      }
      if (type === 'INT' || type === 'NUMBER') return addAll(into, '0123456789+-');
      if (type === 'DIGITS') return addAll(into, '0123456789');
      if (type === 'QUOTED') return addAll(into, '"\'');
      if (type === 'LEVEL' || type === 'LETTER' || type === 'METHOD') return addAll(into, letters);
      return false;
    }
    if (!node.choices.every((choice) => choice.length > 0 && addFirst(choice, into, times))) return false;
    if (!node.isOptional) return true;
  }
  return false;
}

const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

function addAll(into: Set<number>, characters: string): boolean {
  for (const character of characters) into.add(character.charCodeAt(0));
  return true;
}
