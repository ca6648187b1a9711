import { attributeValues } from '@logloom/filter';
import type { SummaryEvent } from './summary-event.ts';

/** Under which loggers write an exception: OpenTelemetry, ECS, pino and winston, logstash-logback, NLog. */
const traceNames = [
  ...['exception.stacktrace', 'error.stack_trace', 'err.stack', 'error.stack', 'stack', 'stack_trace'],
  ...['exception.stack_trace', 'exc_info', 'exception'],
];
const messageNames = ['exception.message', 'error.message', 'err.message', 'error', 'err'];

/** An error's text is read up to here; the cause of a deeper chain stands at its end, so the end is read too. */
const maxText = 16_384;
const maxCause = 300;
/** The exception stands in the first lines. */
const maxPhp = 1000;

/**
 * What introduces the cause in a chain: Java, Rust, Spring, .NET and Node. Texts are hostile input: each expression looks at a
 * character a bounded number of times, or a line.
 */
const causedBy = /^[ \t]*Caused by:|nested exception is |^[ \t]*--->|\[cause\]:/gim;

/** Python puts the cause first: each traceback ends in its exception's line, and one of these joins it to the next. */
const pythonJoint =
  /\n(?:The above exception was the direct cause of the following exception|During handling of the above exception, another exception occurred):\n/;

/** So does PHP, and its exception is the first line. */
const phpJoint = /\n\nNext (?=[\w\\]{1,200}(?:Exception|Error))/;
const phpException = /\b[\w\\]{1,200}(?:Exception|Error): .*/;

/** Everything that an error says of itself: its message, and its exception's where an attribute has it. */
export function errorText({ message, attributes }: SummaryEvent): string {
  const texts = [message];
  if (/stack|exc|err/i.test(attributes)) {
    const values = attributeValues(attributes);
    for (const names of [messageNames, traceNames]) {
      const value = names.map((name) => values.get(name)?.[0]).find((each) => typeof each === 'string');
      if (value !== undefined && !message.includes(value)) texts.push(value);
    }
  }
  const text = texts.join('\n');
  return text.length <= maxText ? text : `${text.slice(0, maxText / 2)}\n${text.slice(-maxText / 2)}`;
}

/** The innermost cause of the exception in an error's text, as its first line; undefined if the text has no chain of causes. */
export function innermostCause(text: string): string | undefined {
  const python = text.split(pythonJoint, 2);
  if (python.length > 1) return tidy(lastLine(python[0]!));
  const php = text.split(phpJoint, 2);
  if (php.length > 1) return tidy(phpException.exec(php[0]!.slice(0, maxPhp))?.[0] ?? php[0]!);
  const last = [...text.matchAll(causedBy)].at(-1);
  if (last === undefined) return undefined;
  const rest = text.slice(last.index + last[0].length);
  return tidy(lastNumbered(rest) ?? rest);
}

/** Rust's anyhow numbers the causes, the innermost one last. */
function lastNumbered(text: string): string | undefined {
  const lines = text.trimStart().split('\n');
  const end = lines.findIndex((line) => !/^[ \t]{0,20}\d{1,3}: /.test(line));
  return lines[(end < 0 ? lines.length : end) - 1]?.replace(/^[ \t]*\d+: /, '');
}

/** Its first line, without what closes a sentence or a bracket of the text around it. */
function tidy(text: string): string | undefined {
  let [line = ''] = text.trimStart().split('\n', 1);
  const isCut = line.length > maxCause;
  line = line.slice(0, maxCause).trim();
  line = line.replace(/\] with root cause$/, '').replace(/[;,]+$/, '');
  // An opening bracket belongs to it, so does the one that closes that.
  while (/[\])}]$/.test(line) && count(line, /[\])}]/g) > count(line, /[[({]/g)) line = line.slice(0, -1);
  if (line === '') return undefined;
  return (isCut ? `${line}…` : line).toWellFormed();
}

function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1)!;
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}
