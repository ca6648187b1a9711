/** Longer lines are no part of a stack trace, unless they are indented. */
export const maxLength = 4000;

/** What an unfinished event is, on which the handling of its next lines depends. */
export type TraceKind =
  | 'none'
  | 'java'
  /** Behind an exception under a logger's line, whose message may have several lines. */
  | 'java-head'
  | 'python'
  /** Behind a Python traceback's last line. */
  | 'python-end'
  /** Between two tracebacks of a chain. */
  | 'python-chain'
  | 'node'
  | 'go'
  | 'ruby'
  | 'php'
  | 'rust'
  /** Behind `thread 'main' panicked at src/main.rs:5:10:`, whose next line is the message. */
  | 'rust-head'
  | 'cpp'
  | 'elixir'
  /** A header with its text on the next line. */
  | 'header'
  /** Everything up to a blank line. */
  | 'report'
  /** Everything up to the next of its kind. */
  | 'slow-query';

/** `java.lang.X: …`, `TypeError: …`, `Error [ERR_X]: …`, `Shop::Error (…):`, as a logger prints an exception under its line. */
const exception =
  /^(?:#<)?(?:[\w$]+(?:\.|::))*(?:[A-Z][\w$]*)?(?:Exception|Error|Throwable|Failure|Exit|Interrupt|NotFound)(?: \[[A-Z_]+\])?(?::|$| \()/;
/** Of a package: no other text begins so. */
const qualified = /^(?:[a-z][\w$]*\.)+[A-Z][\w$.]*(?:Exception|Error|Throwable)(?::|$)/;
const javaMore = /^(?:at [\w.$<]|Caused by: ?|Suppressed: |\.\.\. \d+ (?:more|common frames)|Wrapped by: )/;
const dotnetMore = /^(?:---> |--- End of (?:inner exception )?stack trace|at [\w.`<>[\]]+\()/;
const pythonBegin = /^Traceback \(most recent call last\):/;
const pythonChain = /^(?:During handling of the above exception|The above exception was the direct cause)/;
const pythonMore =
  /^(?:\[SQL: |\[parameters: |\[cached since |\(Background on this error at: |LINE \d+: |(?:DETAIL|HINT|CONTEXT|QUERY): )/;
const goBegin = /^(?:panic: |fatal error: |goroutine \d+ \[|runtime: goroutine stack exceeds|SIG[A-Z]+: )/;
const goMore =
  /^(?:goroutine \d+ .*\[|\[signal |\[recovered|created by |exit status |runtime: |PC=0x|\.\.\.additional frames elided|r\w{1,5} +0x|[cfg]s +0x|[\w./*()[\]·~%\-,…]{1,300}\(.*\)$)/;
/** A function without its arguments, as zap writes it. */
const goFunction = /^(?:[\w.-]{1,100}\/){0,10}\w{1,100}\.[\w.()*]{1,200}$/;
const nodeBegin =
  /^(?:(?:file:\/\/)?[^\s:]{0,300}\.[cm]?[jt]sx?:\d+$|node:[\w/]{1,100}:\d+$|Uncaught(?::|$| )|\S{0,40}UnhandledPromiseRejection)/;
const nodeMore = /^(?:Node\.js v\d|\(Use `node|\[cause\]|Thrown at:|node:internal\/)/;
const rubyFrame = /^(?:from )?[^\s:]{1,300}:\d+:in [`'‘"]/;
const rubyBegin = /^[^\s:]{1,300}:\d{1,7}:in [`'‘"][^\n]{0,3000}\([A-Z][\w:]{0,200}\)$/;
const rubyMore = /^(?:Causes:|Did you mean\?|\.\.\. \d+ levels\.\.\.)/;
const phpMore =
  /^(?:Stack trace:|\[stacktrace\]|#\d+ |\{main\}|Next [\w\\]+|\[previous exception\]|thrown in |"\}|(?:\[[^\]]{1,40}\] )?PHP (?:Stack trace:$| +\d+\. ))/;
const rustBegin = /^thread '[^']*' (?:\(\d+\) )?panicked at /;
const rustMore = /^(?:stack backtrace:|note: |Caused by:|Stack backtrace:|Location:)/;
const cppBegin =
  /^(?:terminate called |libc\+\+abi: |==\d+==|={20,}$|\*\*\* (?:Error|Aborted|SIG|Check failure|stack smashing|buffer overflow)|Assertion failed|[\w./-]+: [\w./-]+:\d+: .*Assertion `|Stack trace \(most recent call last\)|Segmentation fault)/;
const cppMore =
  /^(?:#\d+ |==\d+==|SUMMARY: |Aborted|Segmentation fault|Object "|what\(\): |\S{1,300}\(\S*\) ?\[0x[0-9a-f]+\]|\*\*\* |\/lib|Backtrace:|stack backtrace)/;
const elixirBegin = /^\*\* \(/;
const elixirMore =
  /^(?:\*\* |Last message\b|State: |Function: |Args: |Initial Call: |Ancestors: |Message Queue|Messages: |Links: |Dictionary: |Trapping Exits: |Status: |Heap Size: |Stack Size: |Reductions: |Neighbours:|Start Call: |Restart: |Shutdown: |Type: |Client |Process |Pid: |Crash reason:|neighbours:)/;
const otherMore =
  /^(?:stack traceback:|CallStack \(from |<asynchronous suspension>|Call Stack:|Backtrace:|Stacktrace:|StackTrace:|Stack:|Exception Details:|Inner Exception|ORA-\d{5}: )/i;
const closing = /^[}\])]+[,;]?$/;
const julHead = /^[A-Z][a-z]{2} \d{1,2}, \d{4},? \d{1,2}:\d{2}:\d{2}[ \u00a0\u202f][AP]M \S+ \S+$/;
const erlangHead = /^=[A-Z]+ REPORT==== /;
const crashHead = /^(?:Exception in thread "|Unhandled exception[.:]|Unhandled Exception:|Exception: )/;

/** The kind of an event by its first line. */
export function kindOfFirstLine(text: string): TraceKind {
  if (text.length > maxLength) return 'none';
  if (pythonBegin.test(text)) return 'python';
  if (goBegin.test(text)) return 'go';
  if (text === 'Unhandled exception:') return 'rust-head';
  if (rustBegin.test(text)) return text.endsWith(':') ? 'rust-head' : 'rust';
  if (crashHead.test(text)) return 'java';
  if (nodeBegin.test(text)) return 'node';
  if (rubyBegin.test(text)) return 'ruby';
  if (elixirBegin.test(text)) return 'elixir';
  if (cppBegin.test(text)) return 'cpp';
  if (julHead.test(text)) return 'header';
  if (erlangHead.test(text)) return 'report';
  if (text.startsWith('# Time: ')) return 'slow-query';
  // `E, [2025-03-14T09:26:53.589793 #1234] FATAL -- :`
  if (/ -- [^:]{0,80}:\s*$/.test(text)) return 'header';
  if (exception.test(text)) return 'java';
  return 'none';
}

/** Whether a text by its first line is of a program that failed, though no logger says so. */
export function isCrash(text: string): boolean {
  const newline = text.indexOf('\n');
  const kind = kindOfFirstLine(newline === -1 ? text : text.slice(0, newline));
  return !['none', 'header', 'report', 'slow-query'].includes(kind);
}

/** How a line continues an event: its kind from there on; undefined where it does not. */
export interface Continuation {
  kind: TraceKind;
  /** The first line of the event. */
  first: string;
  /** The line before this one. */
  previous: string;
  /** Blank lines in between. */
  blankLines: number;
  text: string;
}

/**
 * Says whether a line belongs to the event above it: it is indented, a frame or a further part of a stack trace of that event's kind, or an
 * exception directly under a logger's line. Returns the event's kind from there on; undefined for a line that begins another event.
 */
export function continues({ kind, first, previous, blankLines, text }: Continuation): TraceKind | undefined {
  if (kind === 'slow-query') return text.startsWith('# Time: ') ? undefined : kind;
  if (kind === 'report') return blankLines > 0 || erlangHead.test(text) ? undefined : kind;
  if (/^\s/.test(text)) return kind === 'java-head' ? 'java' : kind;
  if (text.length > maxLength) return undefined;
  const isUnder = blankLines === 0 && isRecord(first);
  switch (kind) {
    case 'header':
      if (blankLines === 0) return exception.test(text) ? 'ruby' : 'none';
      break;
    case 'rust-head':
      if (blankLines === 0) return 'rust';
      break;
    case 'java-head':
      if (javaMore.test(text) || dotnetMore.test(text)) return 'java';
      if (blankLines === 0 && !isRecord(text) && !/^[[{]/.test(text)) return kind;
      break;
    case 'python':
      // The line that names the exception ends the traceback.
      return blankLines === 0 ? 'python-end' : undefined;
    case 'python-end':
      if (pythonMore.test(text)) return kind;
      break;
    case 'python-chain':
      if (pythonBegin.test(text)) return 'python';
      break;
    case 'go':
      if (goMore.test(text) || (goFunction.test(text) && /^\s/.test(previous))) return kind;
      break;
    case 'node':
      if (exception.test(text) || nodeMore.test(text)) return kind;
      break;
    case 'ruby':
      if (rubyMore.test(text)) return kind;
      // Under a logger's line a second error is the cause of the first.
      if (rubyFrame.test(text) && (!rubyBegin.test(text) || isRecord(first))) return kind;
      break;
    case 'rust':
      if (rustMore.test(text)) return kind;
      break;
    case 'cpp':
      if (cppMore.test(text)) return kind;
      break;
    case 'elixir':
      if (elixirMore.test(text)) return kind;
      break;
    default:
  }
  if (pythonChain.test(text) && (kind === 'python-end' || kind === 'python-chain')) return 'python-chain';
  if (blankLines > 0 && !isPart(text, kind, first)) return undefined;
  if (pythonBegin.test(text)) return isUnder && kind === 'none' ? 'python' : undefined;
  if (javaMore.test(text) || dotnetMore.test(text)) return kind === 'none' ? 'java' : kind;
  if (closing.test(text) || otherMore.test(text)) return kind;
  if (phpMore.test(text)) return 'php';
  if (nodeMore.test(text) && /^\s+at /.test(previous)) return 'node';
  if (/^goroutine \d+ \[/.test(text) && /panic|fatal/i.test(first)) return 'go';
  if (isUnder && kind === 'none' && goBegin.test(text) && /panic/i.test(first)) return 'go';
  if (rubyFrame.test(text) && !rubyBegin.test(text)) return 'ruby';
  if (isUnder && kind === 'none' && elixirMore.test(text) && /error|terminat|crash|exit/i.test(first))
    return 'elixir';
  if (isUnder && kind === 'none' && goFunction.test(text) && /error|fatal|panic/i.test(first)) return 'go';
  if (kind === 'none' && isRecord(first) && exception.test(text)) return kindOfException(text);
  if (rustMore.test(text) && (kind === 'java' || /panick|error/i.test(first))) return kind;
  if (/^\*\*\* Check failure stack trace/.test(text) || (/^#\d+ /.test(text) && kind !== 'none'))
    return 'cpp';
  return undefined;
}

/** Whether a line behind a blank one is still a part of the event. */
function isPart(text: string, kind: TraceKind, first: string): boolean {
  if (phpMore.test(text)) return kind === 'php';
  if (javaMore.test(text) || dotnetMore.test(text)) return kind !== 'none';
  if (rubyFrame.test(text)) return kind === 'ruby' && !rubyBegin.test(text);
  if (nodeMore.test(text)) return true;
  if (rustMore.test(text)) return kind !== 'none';
  // logback writes a blank line before the exception in Spring Boot's pattern.
  return kind === 'none' && isRecord(first) && qualified.test(text);
}

function kindOfException(text: string): TraceKind {
  return / \(.*\):?$|^#</.test(text) ? 'ruby' : 'java-head';
}

/** Whether the line is a logger's: it has a time, or a level in front. */
function isRecord(line: string): boolean {
  return (
    /\d{1,2}:\d{2}/.test(line) || /^\[?(?:ERROR|FATAL|WARN|WARNING|CRITICAL|SEVERE|error|fatal)\b/.test(line)
  );
}
