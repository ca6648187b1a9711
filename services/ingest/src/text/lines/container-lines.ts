/** A line as a container's runtime wraps it. */
export interface ContainerLine {
  /** RFC 3339, to the nanosecond. */
  time: string | undefined;
  stream: string;
  text: string;
  /** Whether the program's line goes on in the next of the stream. */
  isPartial: boolean;
  /** What else the runtime says of it. */
  attributes: Readonly<Record<string, unknown>> | undefined;
}

const cri =
  /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)) (stdout|stderr) ([FP])(?::\S{1,40})?(?: |$)/;

/** Reads a line of CRI (containerd, CRI-O, Podman), or of Docker's json-file; undefined for any other text. */
export function readContainerLine(text: string): ContainerLine | undefined {
  const match = text.charCodeAt(4) === 0x2d ? cri.exec(text) : null;
  if (match !== null)
    return {
      time: match[1]!,
      stream: match[2]!,
      text: text.slice(match[0].length),
      isPartial: match[3] === 'P',
      attributes: undefined,
    };
  if (!text.startsWith('{"log":"')) return undefined;
  let line: Record<string, unknown>;
  try {
    line = JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
  const { log, stream, time, ...others } = line;
  if (
    typeof log !== 'string' ||
    typeof stream !== 'string' ||
    Object.keys(others).some((name) => name !== 'attrs')
  )
    return undefined;
  return {
    time: typeof time === 'string' ? time : undefined,
    stream,
    text: log.replace(/\r?\n$/, ''),
    isPartial: !log.endsWith('\n'),
    attributes: 'attrs' in others ? { attrs: others['attrs'] } : undefined,
  };
}

const maxParts = 100;
const maxPartLength = 1_000_000;

/** A program's whole line. */
export interface WholeLine extends Omit<ContainerLine, 'isPartial'> {
  /** The offset before its first part. */
  start: number;
}

/** Puts together the parts of long lines, which the runtimes cut at 16 KiB, for one stream. */
export class PartJoiner {
  #parts: string[] = [];
  #length = 0;
  #first: ContainerLine | undefined;
  #start = 0;

  /** The offset before the first part that is held; undefined when none is. */
  get heldFrom(): number | undefined {
    return this.#first === undefined ? undefined : this.#start;
  }

  push(line: ContainerLine, start: number): WholeLine | undefined {
    if (this.#first === undefined) {
      this.#first = line;
      this.#start = start;
    }
    this.#parts.push(line.text);
    this.#length += line.text.length;
    const isFull = this.#parts.length >= maxParts || this.#length > maxPartLength;
    return line.isPartial && !isFull ? undefined : this.flush();
  }

  flush(): WholeLine | undefined {
    if (this.#first === undefined) return undefined;
    const { time, stream, attributes } = this.#first;
    const whole = { time, stream, attributes, text: this.#parts.join(''), start: this.#start };
    this.#parts = [];
    this.#length = 0;
    this.#first = undefined;
    return whole;
  }
}
