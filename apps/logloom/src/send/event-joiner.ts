/** One event of a file: a line, or several lines that belong together. */
export interface FileEvent {
  text: string;
  /** The offset in the file after it. */
  end: number;
}

const maxLines = 1000;
const maxLength = 500_000;

const javaFrame = /^(?:at [\w.$]|Caused by: |Suppressed: |\.\.\. \d+ (?:more|common frames))/;
const closing = /^[}\])]+[,;]?$/;
const pythonBegin = /^Traceback \(most recent call last\):/;
const pythonChain = /^(?:During handling of the above exception|The above exception was the direct cause)/;
const goBegin = /^(?:panic: |fatal error: |goroutine \d+ \[)/;
const goMore = /^(?:goroutine \d+ \[|\[signal |created by |exit status |[\w./*()-]+\(.*\)$)/;
/** `java.lang.X: …`, `TypeError: …`, as a logger prints an exception under its line. */
const exception = /^(?:[\w$]+\.)*(?:[A-Z][\w$]*)?(?:Exception|Error|Throwable)(?::|$)/;

/** The kind of the unfinished event, on which the handling of the next lines depends. */
type Trace = 'none' | 'python' | 'chain' | 'go' | 'exception';

/**
 * Joins the lines of stack traces to the event that they belong to: indented lines, Java's `at`, `Caused by` and `... more`, a closing
 * brace (Node), Python's tracebacks to their last line, Go's goroutines. With a pattern every line that matches it begins an event and all
 * others belong to the one before. Blank lines are kept within a joined event, and dropped elsewhere.
 */
export class EventJoiner {
  readonly #begins: RegExp | undefined;
  readonly #isOff: boolean;
  #lines: string[] = [];
  #length = 0;
  #blank = 0;
  #end = 0;
  #trace: Trace = 'none';

  /** `pattern` matches the first line of an event; false: each line is an event. */
  constructor(pattern?: RegExp | false) {
    this.#isOff = pattern === false;
    this.#begins = pattern === false ? undefined : pattern;
  }

  get isEmpty(): boolean {
    return this.#lines.length === 0;
  }

  /** Adds a line; returns the event that it completes, if any. */
  push(text: string, end: number): FileEvent | undefined {
    if (text.trim() === '') {
      this.#blank++;
      return undefined;
    }
    const isMore = this.#lines.length > 0 && !this.#isOff && !this.#isFull(text) && this.#belongs(text);
    const done = isMore ? undefined : this.flush();
    if (isMore) for (; this.#blank > 0; this.#blank--) this.#lines.push('');
    this.#blank = 0;
    if (!isMore) this.#trace = traceOf(text);
    this.#lines.push(text);
    this.#length += text.length;
    this.#end = end;
    return done;
  }

  /** Ends and returns the unfinished event. */
  flush(): FileEvent | undefined {
    if (this.#lines.length === 0) return undefined;
    const event = { text: this.#lines.join('\n'), end: this.#end };
    this.#lines = [];
    this.#length = this.#blank = 0;
    this.#trace = 'none';
    return event;
  }

  #isFull(text: string): boolean {
    return this.#lines.length >= maxLines || this.#length + text.length > maxLength;
  }

  /** Directly after a line of a logger, which has a time. */
  #isUnderRecord(): boolean {
    return this.#blank === 0 && this.#trace === 'none' && /\d{2}:\d{2}/.test(this.#lines[0]!);
  }

  #belongs(text: string): boolean {
    if (this.#begins !== undefined) return !this.#begins.test(text);
    if (/^\s/.test(text)) return true;
    if (this.#trace === 'go' && goMore.test(text)) return true;
    if (pythonBegin.test(text)) {
      // The next exception of a chain, or one that a logger prints after its line; else a new event.
      if (this.#trace !== 'chain' && !this.#isUnderRecord()) return false;
      this.#trace = 'python';
      return true;
    }
    if (this.#trace === 'python') {
      // The line that names the exception ends the traceback.
      this.#trace = 'exception';
      return true;
    }
    if (pythonChain.test(text)) {
      this.#trace = 'chain';
      return true;
    }
    if (javaFrame.test(text) || closing.test(text)) return true;
    if (exception.test(text) && this.#isUnderRecord()) {
      this.#trace = 'exception';
      return true;
    }
    return false;
  }
}

function traceOf(text: string): Trace {
  if (pythonBegin.test(text)) return 'python';
  if (goBegin.test(text)) return 'go';
  return exception.test(text) ? 'exception' : 'none';
}
