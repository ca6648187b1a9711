import { levelOfText } from '../event/parse-level.ts';
import { formatMicros } from '@logloom/schemas';
import { setField, type TextEvent } from './layouts/layout.ts';
import { scanAnyTime } from './time/any-time.ts';
import { isLetter, type TimeContext } from './time/scan-parts.ts';
import { readMicros } from './time/time-format.ts';

/** How many tokens a header has at the most. */
const maxTokens = 8;
const maxTokenLength = 200;
const pair = /([A-Za-z_][\w.-]{0,63})=("[^"\n]{0,200}"|[^\s"\],]{1,200})(?=[\s\],]|$)/y;
const logger = /(?:[\w$-]{1,80}(?:\.|::|\/|#))+[\w$<>-]{1,80}(?::\d{1,6}|\[\d{1,9}\])?/y;
const word = /[\w$@-]{1,80}/y;
const wordBeforeTime = /[a-z]{4,8}(?=:? +[[(]?\d)/y;
const rustThread = /ThreadId\(\d{1,6}\)(?= )/y;
const origin = /[\w$./<>-]{1,120}:[\w$<>]{1,80}:\d{1,7}/y;

/**
 * Reads a header that no layout describes, as log4j, logback, Python's logging, serilog, tracing and many others write it: a time, a
 * level, and around them a thread, a logger, a number of a process and pairs of names and values. Undefined where the text does not begin
 * with such a header: there is a time, or a level that stands out.
 */
export function readHeader(text: string, context: TimeContext): TextEvent | undefined {
  const newline = text.indexOf('\n');
  return new HeaderReader(text, newline === -1 ? text.length : newline, context).read();
}

class HeaderReader {
  readonly #text: string;
  readonly #end: number;
  readonly #context: TimeContext;
  #at = 0;
  /** Whether a bracket was opened around the time and what follows. */
  #isBracketed = false;
  #micros = Number.NaN;
  #level: string | undefined;
  /** Whether the message begins at once. */
  #isMessage = false;
  readonly #event: TextEvent = {};

  constructor(text: string, end: number, context: TimeContext) {
    this.#text = text;
    this.#end = end;
    this.#context = context;
  }

  read(): TextEvent | undefined {
    if (!this.#front()) return undefined;
    this.#lowerCaseLevel();
    for (let i = 0; i < maxTokens && !this.#isMessage && this.#at < this.#end; i++) {
      const at = this.#separators();
      if (this.#level === undefined ? !this.#beforeLevel(at) : !this.#afterLevel(at)) break;
    }
    return this.#finish();
  }

  /** The time, with up to two tokens in front of it. */
  #front(): boolean {
    for (let i = 0; i < 3; i++) {
      let at = this.#separators();
      if (this.#text.charAt(at) === '[' || this.#text.charAt(at) === '(') {
        const behind = this.#time(at + 1);
        if (behind > 0) {
          this.#isBracketed = true;
          this.#at = behind;
          return true;
        }
      }
      const behind = this.#time(at);
      if (behind > 0) {
        this.#at = behind;
        return true;
      }
      const from = at;
      if (this.#level === undefined && (at = this.#levelAt(from)) > 0) this.#at = at;
      else if (this.#level === undefined && (at = this.#wordBeforeTime(from)) > 0) this.#at = at;
      else if ((at = this.#bracket(from)) > 0) this.#at = at;
      else break;
    }
    // No time: nothing but a level in front is a header.
    this.#at = 0;
    return false;
  }

  /** `2025-03-14 09:26:53 info …`; a word that may begin the message stays in it. */
  #lowerCaseLevel(): void {
    const at = this.#separators();
    if (this.#level !== undefined) return;
    for (const words of [quiet, loud]) {
      words.lastIndex = at;
      const word = words.exec(this.#text)?.[0];
      if (word === undefined) continue;
      if (levelEnd(this.#text, at, this.#end) > 0) return;
      this.#level = word;
      if (words === quiet) this.#at = at + word.length;
      else this.#isMessage = true;
    }
  }

  /** `debug 2025-03-14 09:26:53 …` */
  #wordBeforeTime(at: number): number {
    wordBeforeTime.lastIndex = at;
    const name = wordBeforeTime.exec(this.#text)?.[0];
    if (name === undefined || levelOfText(name) === undefined) return -1;
    this.#level = name;
    return at + name.length;
  }

  #time(at: number): number {
    if (!Number.isNaN(this.#micros)) return -1;
    const behind = scanAnyTime(this.#text, at, this.#end, this.#context);
    if (behind > 0) this.#micros = readMicros();
    return behind;
  }

  /** A token before the level; false where the message begins. */
  #beforeLevel(at: number): boolean {
    const level = this.#levelAt(at);
    if (level > 0) {
      this.#at = level;
      return true;
    }
    if (!this.#mayHaveLevel(at)) return false;
    for (const behind of [this.#bracket(at), this.#pair(at), this.#number(at), this.#loggerAt(at)])
      if (behind > 0) {
        this.#at = behind;
        return true;
      }
    return false;
  }

  /** A look ahead, so that the beginning of a message without a level is no header. */
  #mayHaveLevel(at: number): boolean {
    let i = at;
    let words = 0;
    for (let tokens = 0; tokens < 6 && i < this.#end; tokens++) {
      const level = levelEnd(this.#text, i, this.#end);
      if (level > 0) return words === 0 || /[A-Z]{2}/.test(this.#text.slice(i, level));
      // One word may stand there by itself, a process or a host; more are a sentence.
      if (isPlainWord(this.#text, i, this.#end) && ++words > 1) return false;
      i = skipToken(this.#text, i, this.#end);
    }
    return false;
  }

  /** A token behind the level. */
  #afterLevel(at: number): boolean {
    if (this.#text.charCodeAt(at) === 0x5d && this.#isBracketed) {
      this.#at = at + 1;
      return true;
    }
    if (this.#text.startsWith('---', at) || this.#text.startsWith('⋮', at)) {
      this.#at = at + (this.#text.startsWith('---', at) ? 3 : 1);
      return true;
    }
    const before = this.#threadBracket(at);
    if (before > 0) {
      this.#at = before;
      return true;
    }
    const behind = this.#namedLogger(at);
    if (behind > 0) {
      this.#at = behind;
      return false;
    }
    // `ERROR 1234 --- [main]`, `ERROR MainProcess pid`: a number only before three dashes.
    const digits = /\d{1,10}(?= +---)/y;
    digits.lastIndex = at;
    const pid = digits.exec(this.#text)?.[0];
    if (pid === undefined) return false;
    setField(this.#event, ['process', 'pid'], Number(pid));
    this.#at = at + pid.length;
    return true;
  }

  #separators(): number {
    let i = this.#at;
    while (i < this.#end) {
      const code = this.#text.charCodeAt(i);
      const isDash =
        code === 0x2d &&
        (i + 1 >= this.#end || /[\s-]/.test(this.#text.charAt(i + 1)) || this.#level === undefined);
      // Blanks, tabs, : | , and dashes that stand alone.
      if (
        code === 0x20 ||
        code === 0x09 ||
        code === 0x3a ||
        code === 0x7c ||
        code === 0x3b ||
        (code === 0x2c && this.#level === undefined)
      )
        i++;
      else if (isDash && !this.#text.startsWith('---', i)) i++;
      else if ((code === 0x5d || code === 0x29) && this.#isBracketed) i++;
      else break;
    }
    return i;
  }

  #levelAt(at: number): number {
    const behind = levelEnd(this.#text, at, this.#end);
    if (behind < 0) return -1;
    const match = /[A-Za-z]{2,16}(?:[+-]\d{1,2})?/.exec(this.#text.slice(at, behind))!;
    this.#level = match[0];
    return behind;
  }

  /** `[main]`, `(7)`, `<0.1.0>`, `{a.py:7}` before the level: a thread, or where it was logged. */
  #bracket(at: number): number {
    const inner = bracketAt(this.#text, at, this.#end);
    if (inner === undefined) return -1;
    const { content, behind } = inner;
    const time = /\d{2}:\d{2}/.test(content);
    if (time) return -1;
    if (/^\s*\d{1,10}\s*$/.test(content)) setField(this.#event, ['process', 'pid'], Number(content));
    else if (this.#text[at] === '<') setField(this.#event, ['erlang', 'pid'], content);
    else if (this.#text[at] === '{') setField(this.#event, ['log', 'origin'], content);
    else if (/^\s*[\w.$]+(?:\.[\w$]+)+\s*$/.test(content)) setField(this.#event, ['log', 'logger'], content);
    else setField(this.#event, ['thread', 'name'], content);
    return behind;
  }

  /** A thread or logger in brackets behind the level; other brackets are the message's. */
  #threadBracket(at: number): number {
    rustThread.lastIndex = at;
    const thread = rustThread.exec(this.#text)?.[0];
    if (thread !== undefined) {
      setField(this.#event, ['thread', 'name'], thread);
      return at + thread.length;
    }
    const inner = bracketAt(this.#text, at, this.#end);
    if (inner === undefined || this.#text[at] === '<' || this.#text[at] === '{') return -1;
    const { content, behind } = inner;
    const isName =
      /^\s*[\w.:$#@/*-]+(?: [\w.:$#@/*-]+){0,3}\s*$/.test(content) &&
      !/^\s*req-|^\s*[0-9a-f]{8}-[0-9a-f]{4}-/.test(content);
    if (!isName || !/[\s:|-]/.test(this.#text.charAt(behind)) || behind >= this.#end) return -1;
    if (/^[0-9a-f]{32}$/.test(content) && !('traceId' in this.#event)) {
      setField(this.#event, ['traceId'], content);
      return behind;
    }
    const isLogger = /^\s*[\w$]+(?:(?:\.|::)[\w$]+)+(?::\d+)?\s*$/.test(content);
    if (isLogger && !('log' in this.#event))
      setField(this.#event, ['log', 'logger'], content.trim().replace(/:\d+$/, ''));
    else if (!('thread' in this.#event)) setField(this.#event, ['thread', 'name'], content);
    else return -1;
    return behind;
  }

  #pair(at: number): number {
    pair.lastIndex = at;
    const match = pair.exec(this.#text);
    if (match === null || pair.lastIndex > this.#end) return -1;
    setField(this.#event, [match[1]!], match[2]!.replace(/^"(.*)"$/, '$1'));
    return pair.lastIndex;
  }

  #number(at: number): number {
    const digits = /\d{1,10}(?=[\s\]|:,-]|$)/y;
    digits.lastIndex = at;
    const text = digits.exec(this.#text)?.[0];
    if (text === undefined) return -1;
    if (!('process' in this.#event)) setField(this.#event, ['process', 'pid'], Number(text));
    return at + text.length;
  }

  /** A logger before the level. */
  #loggerAt(at: number): number {
    for (const pattern of [origin, logger, word]) {
      pattern.lastIndex = at;
      const name = pattern.exec(this.#text)?.[0];
      if (name === undefined || at + name.length > this.#end) continue;
      if (!/[\s:|,\]-]/.test(this.#text.charAt(at + name.length))) continue;
      if (!('log' in this.#event)) setField(this.#event, ['log', 'logger'], name.replace(/\[\d+\]$/, ''));
      return at + name.length;
    }
    return -1;
  }

  /** A logger behind the level, which ends with a colon, a dash, the closing bracket or a bar; a plain word only before ` - `. */
  #namedLogger(at: number): number {
    for (const pattern of [origin, logger, word]) {
      pattern.lastIndex = at;
      const name = pattern.exec(this.#text)?.[0];
      if (name === undefined) continue;
      const behind = at + name.length;
      const ending = /(?: +\[[\w.() -]{1,80}\])? *(?:(: |:$)|( -{1,2} )|(\| )|( : )|(\]))/my;
      ending.lastIndex = behind;
      const found = ending.exec(this.#text);
      if (found === null || ending.lastIndex > this.#end) continue;
      const isBracket = found[5] !== undefined;
      if (isBracket && !this.#isBracketed) continue;
      if (
        pattern === word &&
        found[1] !== undefined &&
        found[2] === undefined &&
        found[4] === undefined &&
        !isBracket
      )
        continue;
      if (!('log' in this.#event))
        setField(this.#event, ['log', 'logger'], name.replace(/\[\d+\]$/, '').replace(/(\w):\d+$/, '$1'));
      return ending.lastIndex;
    }
    return -1;
  }

  #finish(): TextEvent | undefined {
    let at = this.#at;
    while (at < this.#end) {
      const code = this.#text.charCodeAt(at);
      const isDash =
        code === 0x2d && /[\s-]|$/.test(this.#text.charAt(at + 1)) && this.#text.charAt(at + 1) !== '-';
      const isMark =
        code === 0x20 ||
        code === 0x09 ||
        code === 0x3b ||
        code === 0x3a ||
        code === 0x7c ||
        ((code === 0x5d || code === 0x29) && this.#isBracketed) ||
        (isDash && (this.#text.charAt(at + 1) === ' ' || at + 1 >= this.#end));
      if (!isMark) break;
      at++;
    }
    const event: TextEvent = {};
    if (!Number.isNaN(this.#micros)) event['timestamp'] = formatMicros(this.#micros);
    if (this.#level !== undefined) event['level'] = this.#level;
    const message = this.#text.slice(at);
    event['message'] = message === '' ? (this.#level === undefined ? this.#text : '') : message;
    return Object.assign(event, this.#event);
  }
}

/** The end of a level at this place: a word in capitals, or one of lower case that is set off; with the brackets around it. */
function levelEnd(text: string, at: number, end: number): number {
  const first = text.charCodeAt(at);
  const opening = first === 0x5b || first === 0x28 || first === 0x3c ? 1 : 0;
  let i = at + opening;
  while (i < end && text.charCodeAt(i) === 0x20 && opening > 0) i++;
  const from = i;
  while (i < end && i - from < 17 && isLetter(text.charCodeAt(i))) i++;
  if (i - from < 2 || i - from > 16) return -1;
  const name = text.slice(from, i);
  if (levelOfText(name) === undefined) return -1;
  // Words in lower case are levels only where something sets them off: `error opening a file` is a sentence.
  const isSetOff =
    opening > 0 ||
    /[:|\t\]/]/.test(text.charAt(i)) ||
    text.startsWith('  ', i) ||
    /^ [-|:] /.test(text.slice(i, i + 3));
  if (name !== name.toUpperCase() && (!isSetOff || (opening === 0 && weak.test(name)))) return -1;
  const step = /^[+-]\d{1,2}/.exec(text.slice(i, i + 3))?.[0].length ?? 0;
  i += step;
  if (opening > 0) {
    while (i < end && text.charCodeAt(i) === 0x20) i++;
    return i < end && /[\])>]/.test(text.charAt(i)) ? i + 1 : -1;
  }
  if (i < end && !isMark(text.charCodeAt(i))) return -1;
  return i;
}

/** Levels that are everyday words. */
const weak = /^(?:fine|finer|finest|config|default|log|failure|silly|verbose|ok)$/i;
/** Words in lower case that hardly begin a sentence, and those that may. */
const quiet = /(?:[Ii]nfo(?:rmation)?|[Dd]ebug|[Tt]race|[Ww]arn|[Nn]otice|Verbose)(?= )/y;
const loud = /(?:[Ee]rror|[Ff]atal|[Cc]ritical|[Ww]arning)(?= )/y;

/** What may stand behind a level. */
function isMark(code: number): boolean {
  return (
    code === 0x20 ||
    code === 0x09 ||
    code === 0x3a ||
    code === 0x7c ||
    code === 0x2d ||
    code === 0x5d ||
    code === 0x2c ||
    code === 0x3b ||
    code === 0x2f
  );
}

const closings: Readonly<Record<string, string>> = { '[': ']', '(': ')', '<': '>', '{': '}' };

function bracketAt(text: string, at: number, end: number): { content: string; behind: number } | undefined {
  const closing = closings[text.charAt(at)];
  if (closing === undefined) return undefined;
  const found = text.slice(at + 1, Math.min(end, at + maxTokenLength)).indexOf(closing);
  if (found <= 0) return undefined;
  return { content: text.slice(at + 1, at + 1 + found), behind: at + found + 2 };
}

const plainWord = /[A-Za-z][\w-]*(?=[ \t]+[^\s|-])/y;

/** A word that nothing but a blank sets off from the next. */
function isPlainWord(text: string, at: number, end: number): boolean {
  plainWord.lastIndex = at;
  const found = plainWord.exec(text.length > end + 1 ? text.slice(0, end) : text);
  return found !== null;
}

/** The place behind a token and what separates it from the next. */
function skipToken(text: string, at: number, end: number): number {
  const inner = bracketAt(text, at, end);
  let i = inner?.behind ?? at;
  if (inner === undefined) while (i < end && i - at < maxTokenLength && !/[\s|]/.test(text.charAt(i))) i++;
  while (i < end && /[\s|:,-]/.test(text.charAt(i))) i++;
  return i === at ? i + 1 : i;
}
