import { formatCount, formatMs, formatShare } from '../report/format-quantity.ts';
import { phaseText, type RunProgress } from './run-progress.ts';

/** Where the line goes: standard error as it is, or a part of it. */
export interface Terminal {
  isTTY?: boolean;
  columns?: number;
  write: (text: string) => unknown;
}

/** Whatever keeps no line up to date gets one as often, in s of the scenario. */
const everyS = 10;
const defaultColumns = 80;

/**
 * How far a run is, in one line: on a terminal the same line, up to date; elsewhere a line every ten seconds and for each phase, so that a log of
 * CI stays short.
 */
export class ProgressLine {
  readonly #terminal: Terminal;
  #toldS = -Infinity;
  #phase = '';
  #isShown = false;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  show(progress: RunProgress): void {
    const text = progressText(progress);
    const { isTTY, columns = defaultColumns } = this.#terminal;
    if (isTTY === true) {
      // A longer line would wrap, and could not be written over.
      this.#terminal.write(`\r\x1b[K${cut(text, columns - 1)}`);
      this.#isShown = true;
      return;
    }
    const { phase, atS } = progress;
    if (phase === this.#phase && atS - this.#toldS < everyS) return;
    this.#phase = phase;
    this.#toldS = Math.floor(atS);
    this.#terminal.write(`${text}\n`);
  }

  /** Clears the line: what is written next begins where it was. */
  end(): void {
    if (this.#isShown) this.#terminal.write('\r\x1b[K');
    this.#isShown = false;
  }
}

/** The most important first: a narrow terminal shows only the beginning. */
export function progressText({ phase, atS, durationS, latest }: RunProgress): string {
  const clock = `${clockText(Math.min(atS, durationS))} of ${clockText(durationS)}`;
  if (phase !== 'load') return `${clock}  ${phaseText(phase)}`;
  if (latest === undefined) return `${clock}  starting`;
  const { viewers, sent, deliveries, p99Ms, serverCpu, generatorCpu, connectFailures, disconnects } = latest;
  return [
    clock,
    `${formatCount(viewers)} viewers`,
    `${formatCount(sent)} events/s`,
    `${formatCount(deliveries)} deliveries/s`,
    ...(p99Ms === null ? [] : [`p99 ${formatMs(p99Ms)}`]),
    ...(connectFailures > 0 ? [`${formatCount(connectFailures)} connects failed`] : []),
    ...(disconnects > 0 ? [`${formatCount(disconnects)} connections lost`] : []),
    ...(serverCpu === null ? [] : [`server ${formatShare(serverCpu)} CPU`]),
    `generator ${formatShare(generatorCpu)}`,
  ].join('  ');
}

function clockText(seconds: number): string {
  const whole = Math.floor(seconds);
  const two = (value: number): string => String(value).padStart(2, '0');
  const minutes = `${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
  return whole < 3_600 ? minutes : `${Math.floor(whole / 3_600)}:${minutes}`;
}

function cut(text: string, columns: number): string {
  return text.length <= columns ? text : `${text.slice(0, Math.max(0, columns - 1))}…`;
}
