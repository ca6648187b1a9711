export interface Progress {
  accepted: number;
  rejected: number;
  bytes: number;
  /** Undefined if unknown: standard input, a growing file. */
  totalBytes: number | undefined;
}

const barWidth = 30;
const everyMs = 200;

/** Draws the progress on a terminal's line a few times a second; elsewhere prints it once a second. */
export class ProgressBar {
  readonly #stream: { isTTY?: boolean; write: (text: string) => unknown };
  readonly #startedAt = Date.now();
  #drawnAt = 0;
  #isDrawn = false;

  constructor(stream: { isTTY?: boolean; write: (text: string) => unknown }) {
    this.#stream = stream;
  }

  update(progress: Progress): void {
    const now = Date.now();
    const isTerminal = this.#stream.isTTY === true;
    if (!isTerminal && this.#drawnAt === 0) this.#drawnAt = now;
    if (now - this.#drawnAt < (isTerminal ? everyMs : 1000)) return;
    this.#drawnAt = now;
    const seconds = Math.max(0.001, (now - this.#startedAt) / 1000);
    this.#stream.write(isTerminal ? `\r${progressLine(progress, seconds)}\x1b[K` : `${counts(progress)}\n`);
    this.#isDrawn = isTerminal;
  }

  /** Takes the line away. */
  clear(): void {
    if (this.#isDrawn) this.#stream.write('\r\x1b[K');
    this.#isDrawn = false;
  }
}

/** One line for a terminal: a bar if the size is known, counts, events per second, the time left. */
export function progressLine(progress: Progress, seconds: number): string {
  const rate = `${Math.round((progress.accepted + progress.rejected) / seconds)}/s`;
  const { totalBytes, bytes } = progress;
  if (totalBytes === undefined) return `${counts(progress)}, ${rate}`;
  const share = totalBytes === 0 ? 1 : Math.min(1, bytes / totalBytes);
  const full = Math.round(share * barWidth);
  const left = share === 0 ? '' : `, ${duration((seconds * (1 - share)) / share)} left`;
  return `[${'#'.repeat(full)}${'.'.repeat(barWidth - full)}] ${Math.floor(share * 100)}%  ${counts(progress)}, ${rate}${left}`;
}

function counts({ accepted, rejected }: Progress): string {
  return `${accepted} accepted${rejected > 0 ? `, ${rejected} rejected` : ''}`;
}

function duration(seconds: number): string {
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')} min`;
}
